import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { stringify } from 'yaml';
import {
  type BackfillOptions,
  backfill,
  type JobOptions,
  repair,
  type VerifyOptions,
  verify,
} from '../../src/operator/cli/jobs.js';
import { makePair } from '../mirror/capture-support.js';
import { pgfig } from '../operator/cli-run.js';
import { startPostgres } from '../support/postgres.js';

/** From an empty target to a proven copy, and back from every kind of divergence, by the commands and the real relay. */
const [source, target] = await Promise.all([startPostgres({ version: 15 }), startPostgres()]);
const SCHEMA = `
  CREATE TABLE a (id bigserial PRIMARY KEY, v text, w float8);
  CREATE TABLE b (x int, y text, n numeric, PRIMARY KEY (x, y));
  CREATE TABLE c (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, u uuid UNIQUE, g int GENERATED ALWAYS AS (id * 2) STORED);`;
const TABLES = ['public.a', 'public.b', 'public.c'];
const pair = await makePair(source, target, SCHEMA, TABLES);
await writeFile(
  path.join(path.dirname(pair.config.file), 'routing-rules', 'orders.yaml'),
  stringify({ domain: 'orders', database: 'orders_db', tables: TABLES, phase: 'dual-write' }),
);
await source.query(
  `INSERT INTO a (v, w) SELECT 'v' || g, g / 3.0 FROM generate_series(1, 30000) g;
   INSERT INTO b SELECT g % 11, 'ä"' || g, g FROM generate_series(1, 4000) g;
   INSERT INTO c (u) SELECT md5(g::text)::uuid FROM generate_series(1, 2000) g; ANALYZE`,
  pair.from,
);

const read = (stream: PassThrough): string => String(stream.read() ?? '');

async function command<O extends JobOptions>(
  work: (name: string, options: O, streams: { output: PassThrough; progress: PassThrough }) => Promise<number>,
  options: Omit<O, 'config'>,
): Promise<{ code: number; text: string; progress: string }> {
  const [output, progress] = [new PassThrough(), new PassThrough()];
  const code = await work('orders', { config: pair.config.file, ...options } as O, { output, progress });
  return { code, text: read(output), progress: read(progress) };
}

const asRelay = (sql: string) =>
  target.query(
    `BEGIN; SET LOCAL session_replication_role = replica; SET LOCAL ROLE pgfig_relay; ${sql}; COMMIT`,
    pair.to,
  );

t.test('not mirrored yet', async (t) => {
  await t.rejects(command<VerifyOptions>(verify, {}), { code: 'MIRROR_REFUSED', message: /not wholly mirrored yet/ });
  await pair.install();
});

t.test('backfill', async (t) => {
  const notYet = await command<VerifyOptions>(verify, {});
  t.equal(notYet.code, 1);
  t.match(notYet.text, /public.a +0 +public.a is not in step/);
  await target.query('ALTER TABLE b ADD CONSTRAINT small CHECK (n < 100)', pair.to);
  const refused = await command<BackfillOptions>(backfill, { jobs: 2 });
  t.equal(refused.code, 1);
  t.match(refused.progress, /public.b: only the target has the check constraint small/);
  await target.query('ALTER TABLE b DROP CONSTRAINT small', pair.to);
  await asRelay(`INSERT INTO b VALUES (100, 'x', 1)`);
  t.match((await command<BackfillOptions>(backfill, { jobs: 2 })).progress, /public.b: the target has rows. --resume/);
  await asRelay('DELETE FROM b');
  const done = await command<BackfillOptions>(backfill, { jobs: 2, json: true });
  t.equal(done.code, 0, done.text + done.progress);
  t.match(JSON.parse(done.text), { state: 'done', result: { good: true, rows: 36_000 } });
  const { rows } = await target.query<{ a: string; c: string }>(
    `SELECT nextval('a_id_seq') AS a, nextval('c_id_seq') AS c`,
    pair.to,
  );
  t.ok(Number(rows[0]?.a) > 30_000 && Number(rows[0]?.c) > 2_000, 'sequences go on past the source');
  const clean = await command<VerifyOptions>(verify, {});
  t.equal(clean.code, 0, clean.text);
  t.match(clean.text, /public.a +30000 +equal/);
});

t.test('verify finds, repair mends', async (t) => {
  await asRelay(`DELETE FROM a WHERE id IN (1, 777); UPDATE a SET w = w + 1e-9 WHERE id = 40; UPDATE a SET v = '' WHERE id = 41;
    INSERT INTO a (id, v) VALUES (99999, 'x'); DELETE FROM b WHERE x = 3 AND y = 'ä"3';
    INSERT INTO b VALUES (3, 'zz', 1); UPDATE c SET u = gen_random_uuid() WHERE id = 9`);
  const found = await command<VerifyOptions>(verify, { json: true, values: true });
  t.equal(found.code, 1);
  const { result, divergences } = JSON.parse(found.text);
  t.equal(result.divergences, 8);
  const brief = (list: { table: string; kind: string; key: string; columns: string[] }[]): string[] =>
    list.map(({ table, kind, key, columns }) => [table, kind, key, ...columns].join(' ')).sort();
  t.same(brief(divergences), [
    'public.a differs 40 w',
    'public.a differs 41 v',
    'public.a extra 99999',
    'public.a missing 1',
    'public.a missing 777',
    'public.b extra {3,zz}',
    'public.b missing {3,"ä\\"3"}',
    'public.c differs 9 u',
  ]);
  t.same(divergences.find(({ key }: { key: string }) => key === '41').values, { v: { source: 'v41', target: '' } });
  const text = await command<VerifyOptions>(verify, { table: 'a' });
  t.match(text.text, /public.a +30000 +5 diverge/);
  t.match(text.text, /public.a {2}differs {2}40 +w/);
  const some = await command<JobOptions>(repair, { table: 'public.c', json: true });
  t.match(JSON.parse(some.text), { result: { repaired: 1, open: 0 } });
  const all = await command<JobOptions>(repair, {});
  t.equal(all.code, 0);
  t.match(all.text, /repaired 7 rows/);
  t.equal((await command<VerifyOptions>(verify, {})).code, 0);
  const { rows } = await source.query('SELECT state, count(*)::int AS n FROM pgfig.divergences GROUP BY 1', pair.from);
  t.same(rows, [{ state: 'repaired', n: 8 }]);
});

t.test('rows that have swapped their unique values are mended together, however many', async (t) => {
  // Each value is held by a row that is 700 further on: no 500 of them can be mended without the others.
  await asRelay(`CREATE TEMP TABLE wrong ON COMMIT DROP AS
      SELECT id, (SELECT o.u FROM c o WHERE o.id = 1 + (c.id + 699) % 2000) AS u FROM c;
    DELETE FROM c; INSERT INTO c (id, u) OVERRIDING SYSTEM VALUE SELECT id, u FROM wrong`);
  t.match(JSON.parse((await command<VerifyOptions>(verify, { json: true, table: 'c' })).text), {
    result: { divergences: 2_000 },
  });
  const done = await command<JobOptions>(repair, { json: true });
  t.equal(done.code, 0, done.text + done.progress);
  t.match(JSON.parse(done.text), { result: { repaired: 2_000, open: 0 } });
  t.equal((await command<VerifyOptions>(verify, {})).code, 0);
});

t.test('a hot table under load verifies clean', async (t) => {
  let writing = true;
  const writers = [1, 2, 3].map(async (seed) => {
    for (let at = seed; writing; at += 3) {
      await source.query(
        `UPDATE a SET v = v || 'x' WHERE id % 101 = ${at % 101}; DELETE FROM a WHERE id = ${at}; INSERT INTO a (v) VALUES ('new');
         UPDATE b SET n = n + 1 WHERE x = ${at % 11} AND y LIKE '%7'`,
        pair.from,
      );
    }
  });
  const { code, text } = await command<VerifyOptions>(verify, {});
  writing = false;
  await Promise.all(writers);
  t.equal(code, 0, text);
});

t.test('backfill over rows that differ', async (t) => {
  await asRelay(`UPDATE a SET v = 'wrong' WHERE id % 7 = 0; INSERT INTO a (id) VALUES (-5)`);
  const done = await command<BackfillOptions>(backfill, {
    jobs: 1,
    overwrite: true,
    table: 'public.a',
    rate: 1_000_000,
    maxLoad: 100,
  });
  t.equal(done.code, 0, done.progress);
  t.equal((await command<VerifyOptions>(verify, {})).code, 0);
});

t.test('wrong use, by the program itself', async (t) => {
  const config = ['--config', pair.config.file];
  const cases: readonly [readonly string[], number, RegExp][] = [
    [['verify', 'nix', ...config], 2, /no rule is for a domain "nix"/],
    [['verify', 'orders', '--table', 'nix', ...config], 2, /domain orders has no table "nix"/],
    [['verify', 'orders', '--sample', '0%', ...config], 2, /Give a share as 5%/],
    [['verify', 'orders', '--sample', '5', ...config], 2, /Give a share as 5%/],
    [['backfill', 'orders', '--resume', '--overwrite', ...config], 2, /--resume or --overwrite, not both/],
    [['backfill', 'orders', '--rate', '-1', ...config], 2, /whole number of rows a second, 1 or more/],
    [['backfill', 'orders', '--jobs', '0', ...config], 2, /whole number of tables, 1 or more/],
    [['repair', ...config], 2, /missing required argument/],
    [['repair', 'orders', ...config], 0, /^$/],
  ];
  for (const [args, code, pattern] of cases) {
    const result = await pgfig(args);
    t.equal(result.code, code, args.join(' '));
    t.match(result.stderr, pattern, args.join(' '));
  }
  await source.stop();
  t.match(await pgfig(['verify', 'orders', ...config]), { code: 3, stderr: /cannot be reached/ });
  await source.restart();
});
