import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { startPostgres } from '../../support/postgres.js';

const run = promisify(execFile);

/** psql's commands that ask the server; with the objects below to ask about. */
const COMMANDS = [
  '\\d',
  '\\d+',
  '\\d parent',
  '\\d+ parent',
  '\\d part',
  '\\d+ child',
  '\\d child_pkey',
  '\\d seen',
  '\\d+ summed',
  '\\d numbers',
  '\\da',
  '\\dA+',
  '\\dAc',
  '\\dAf',
  '\\dAo',
  '\\dAp',
  '\\db+',
  '\\dc',
  '\\dconfig',
  '\\dC+',
  '\\dd',
  '\\dD+',
  '\\ddp',
  '\\dE',
  '\\des+',
  '\\deu',
  '\\dew+',
  '\\det',
  '\\df',
  '\\df+ f*',
  '\\dfa',
  '\\dft',
  '\\dF',
  '\\dF+',
  '\\dFd',
  '\\dFp',
  '\\dFt',
  '\\dg+',
  '\\di+',
  '\\dl',
  '\\dL+',
  '\\dm',
  '\\dn+',
  '\\do',
  '\\dO+',
  '\\dp',
  '\\dP+',
  '\\dPti',
  '\\drds',
  '\\dRp+',
  '\\dRs+',
  '\\ds',
  '\\dS',
  '\\dt',
  '\\dt+ public.*',
  '\\dtvmsE',
  '\\dT+',
  '\\du+',
  '\\dv+',
  '\\dx',
  '\\dx+ plpgsql',
  '\\dX',
  '\\dy',
  '\\l+',
  '\\sf f',
  '\\sf+ f(int)',
  '\\sv seen',
  '\\z',
  '\\conninfo',
  '\\encoding',
];

/** Objects of each sort that the commands describe: what psql asks next hangs on what there is. */
const OBJECTS = `
  CREATE TABLE parent (id int, at date NOT NULL DEFAULT now(), note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
  CREATE TABLE part PARTITION OF parent FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
  CREATE TABLE child (id serial PRIMARY KEY, up int, at date, twice int GENERATED ALWAYS AS (up * 2) STORED,
    CHECK (up > 0), FOREIGN KEY (up, at) REFERENCES parent);
  CREATE TABLE heir () INHERITS (child);
  CREATE INDEX ON child ((up + 1)) WHERE up > 1;
  CREATE VIEW seen AS SELECT * FROM child;
  CREATE MATERIALIZED VIEW summed AS SELECT count(*) FROM child;
  CREATE SEQUENCE numbers;
  CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
  CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER tr AFTER INSERT ON child FOR EACH ROW EXECUTE FUNCTION g();
  CREATE RULE ru AS ON DELETE TO child DO INSTEAD NOTHING;
  ALTER TABLE child ENABLE ROW LEVEL SECURITY;
  CREATE POLICY po ON child USING (up > 1);
  CREATE STATISTICS st ON id, up FROM child;
  CREATE PUBLICATION pu FOR TABLE child;
  CREATE DOMAIN positive AS int CHECK (VALUE > 0);
  COMMENT ON TABLE child IS 'x'`;

export const hasPsql = (): boolean =>
  (process.env.PATH ?? '').split(':').some((at) => existsSync(path.join(at, 'psql')));

/** The queries behind psql's own commands, as the psql of this machine sends them; none, and a note, without one. */
export async function psqlStatements(t: Test): Promise<string[]> {
  if (!hasPsql()) {
    t.comment('no psql here: its own queries are not in the corpus');
    return [];
  }
  const server = await startPostgres();
  await server.query(OBJECTS);
  const commands = COMMANDS.flatMap((command) => ['-c', command]);
  // A command that this version of psql does not know, or the server refuses, must not end the others.
  const { stdout } = await run('psql', ['-X', '-E', '-q', '-d', server.url(), ...commands], { maxBuffer: 1 << 26 });
  return [...stdout.matchAll(/^[/*]*\*+ ?QUERY \*+[/*]*\n(.*?)\n[/*]*\*{10,}[/*]*$/gms)].map(([, sql = '']) =>
    sql.trim(),
  );
}
