/** Broken statements, to Postgres itself and through pgfig before one database: both must answer the same. */
import type pg from 'pg';
import t from 'tap';
import { SHOP } from '../sql/corpus/tables.js';
import { Dice, mutant } from '../sql/mutants.js';
import { startPgfig } from '../support/pgfig.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { connect } from './two-databases.js';

const MUTANTS = 600 * Number(process.env.FUZZ_TIMES ?? 1);
const SEED = Number(process.env.FUZZ_SEED ?? 20_240_229);

/** What ends sessions, waits, or names what is another's on each server: pids, OIDs, the moment. */
const NOT_COMPARED =
  /terminate|cancel_backend|sleep|backend_pid|\bdatabase\b|\b(role|user)\b|password|tablespace|advisory|vacuum|checkpoint|copy|analyze|show all|oid|now|time|date|random|uuid|txid|xact|snapshot|pg_stat|version/i;

const SCHEMA = SHOP.map(({ name, columns }) => {
  const lines = Object.entries(columns).map(
    ([column, type], at) => `${column} ${type}${at === 0 ? ' PRIMARY KEY' : ''}`,
  );
  return `CREATE TABLE ${name} (${lines.join(', ')});`;
}).join('\n');

async function newServer(): Promise<TestPostgres> {
  const server = await startPostgres({ settings: { statement_timeout: '10s' } });
  await server.query('CREATE DATABASE shop');
  await server.query(SCHEMA, 'shop');
  return server;
}

const [bare, behind] = await Promise.all([newServer(), newServer()]);
const pgfig = await startPgfig({ databases: { monolith: behind.url('shop') } });

/** What a client sees of the answer, but for OIDs and pids. */
async function answerOf(client: pg.Client, sql: string): Promise<string> {
  try {
    const results = await client.query({ text: sql, rowMode: 'array' });
    return [results]
      .flat()
      .map(({ command, rowCount, rows }) => `${command} ${rowCount} ${JSON.stringify(rows)}`)
      .join('; ');
  } catch (raised) {
    const { code, message, position, severity } = raised as pg.DatabaseError;
    return `${severity} ${code} ${message.replace(/\d{5,}/g, 'N')} at ${position}`;
  }
}

t.test(`${MUTANTS} mutants are answered as by Postgres`, async (t) => {
  const dice = new Dice(SEED);
  const [direct, through] = await Promise.all([connect(bare.url('shop')), connect(pgfig.url())]);
  const differ: unknown[] = [];
  let errors = 0;
  let compared = 0;
  while (compared < MUTANTS) {
    const sql = mutant(dice).toString('utf8');
    if (NOT_COMPARED.test(sql)) continue;
    compared += 1;
    // Whatever it has opened or set is undone on both.
    for (const text of ['BEGIN', sql, 'ROLLBACK', 'DISCARD ALL', "SET lock_timeout = '2s'"]) {
      const [one, other] = await Promise.all([answerOf(direct, text), answerOf(through, text)]);
      if (one !== other) differ.push({ sql, text, direct: one, through: other });
      if (text === sql && one.startsWith('ERROR')) errors += 1;
    }
  }
  t.comment(`seed ${SEED}: ${compared} compared, ${errors} errors`);
  t.same(differ.slice(0, 5), []);
  t.ok(errors > compared / 3);
});
