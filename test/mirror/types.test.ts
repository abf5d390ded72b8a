import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { to } from 'pg-copy-streams';
import t, { type Test } from 'tap';
import { openMirrorClient } from '../../src/mirror/connection.js';
import type { BackfillOptions } from '../../src/mirror/relay/backfill-lane.js';
import { readSmall } from '../../src/mirror/relay/small-turn.js';
import { SourceSide } from '../../src/mirror/relay/source-side.js';
import { readShapes } from '../../src/mirror/shape/read-shapes.js';
import { ident } from '../../src/mirror/shape/table-shape.js';
import { type PostgresVersion, startPostgres, type TestPostgres } from '../support/postgres.js';
import { onTeardown } from '../support/teardown.js';
import { makePair, type Pair } from './capture-support.js';
import { inStep, startRelay } from './relay-support.js';
import { ODD_NAMES, ODD_TABLES, TYPES, TYPES_SCHEMA } from './type-values.js';

/** What text comes out of a session that nobody has pinned. */
const ODD_SETTINGS = {
  DateStyle: 'SQL, DMY',
  IntervalStyle: 'sql_standard',
  TimeZone: 'Asia/Kolkata',
  extra_float_digits: '-10',
  bytea_output: 'escape',
  xmloption: 'document',
};
const OTHER_SETTINGS = {
  DateStyle: 'SQL, MDY',
  IntervalStyle: 'postgres_verbose',
  TimeZone: 'America/St_Johns',
  xmloption: 'document',
};
/** More than the short path takes. */
const MANY = 260;
const MOST_VALUES = Math.max(...TYPES.map(({ values }) => values.length));

const columns = TYPES.map((_, at) => `c${at}`);
const TABLE = `CREATE TABLE every (id int PRIMARY KEY, ${TYPES.map(({ type }, at) => `c${at} ${type}`).join(', ')});`;
/** The target has its columns in another order, and one less that was dropped. */
const OTHER_ORDER = `CREATE TABLE every (gone int, ${TYPES.map(({ type }, at) => `c${at} ${type}`)
  .toReversed()
  .join(', ')}, id int PRIMARY KEY); ALTER TABLE every DROP COLUMN gone;`;

/** Rows from `first` on; every value of every type is in one of them. */
const rowsSql = (first: number, count: number): string =>
  `INSERT INTO every (id, ${columns.join(', ')}) SELECT i, ${TYPES.map(
    ({ type, values }) =>
      `(CASE i % ${values.length} ${values.map((v, k) => `WHEN ${k} THEN (${v})::${type}`).join(' ')} END)::${type}`,
  ).join(', ')} FROM generate_series(${first}, ${first + count - 1}) i`;

/** The bytes of COPY, under the same settings on both sides. */
async function copied(server: TestPostgres, dbname: string, table: string, list: readonly string[]): Promise<string> {
  const client = new pg.Client({ connectionString: server.url(dbname) });
  await client.connect();
  try {
    await client.query(
      "SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC'; SET extra_float_digits = 1; SET bytea_output = 'hex'; SET lc_monetary = 'C'",
    );
    const bytes = new PassThrough();
    const chunks: Buffer[] = [];
    bytes.on('data', (chunk: Buffer) => chunks.push(chunk));
    await pipeline(client.query(to(`COPY (SELECT ${list.join(', ')} FROM ${table} ORDER BY 1) TO STDOUT`)), bytes);
    return Buffer.concat(chunks).toString('latin1');
  } finally {
    await client.end();
  }
}

async function sameBytes(t: Test, pair: Pair, table: string, list: readonly string[], what: string): Promise<void> {
  const [source, target] = await Promise.all([
    copied(pair.source, pair.from, table, list),
    copied(pair.target, pair.to, table, list),
  ]);
  t.ok(source.length > 0, `${what}: there are rows`);
  if (source === target) {
    t.pass(`${what}: equal to the byte`);
    return;
  }
  const [here, there] = [source.split('\n'), target.split('\n')];
  const at = here.findIndex((line, i) => line !== there[i]);
  const [mine, other] = [here[at]?.split('\t') ?? [], there[at]?.split('\t') ?? []];
  const column = mine.findIndex((value, i) => value !== other[i]);
  t.equal(other[column]?.slice(0, 200), mine[column]?.slice(0, 200), `${what}: ${list[column]} of row ${mine[0]}`);
  t.fail(`${what}: ${here.length} and ${there.length} lines`);
}

const options: BackfillOptions = {
  mode: 'replace',
  pace: async () => 7,
  onProgress: () => {},
  signal: new AbortController().signal,
};

/** Both databases have settings of their own, and the writer others. */
async function oddly(pair: Pair): Promise<pg.Client> {
  const set = Object.entries(ODD_SETTINGS).map(([name, value]) => `SET ${name} = '${value}';`);
  // The two are not the same: text that one writes, the other would read otherwise.
  for (const [server, dbname, odd] of [
    [pair.source, pair.from, ODD_SETTINGS],
    [pair.target, pair.to, OTHER_SETTINGS],
  ] as const) {
    for (const [name, value] of Object.entries(odd))
      await server.query(`ALTER DATABASE ${dbname} SET ${name} = '${value}'`);
  }
  const writer = await pair.connect('source');
  await writer.query(set.join(' '));
  return writer;
}

for (const version of [15, 18] satisfies PostgresVersion[]) {
  t.test(`every type, from ${version} to 18`, async (t) => {
    const [source, target] = await Promise.all([startPostgres({ version }), startPostgres()]);
    const pair = await makePair(source, target, TYPES_SCHEMA, ['public.every', ...ODD_NAMES]);
    // A column may be stored here and computed there: neither travels.
    await source.query(TABLE + ODD_TABLES, pair.from);
    await target.query(OTHER_ORDER + ODD_TABLES.replace('STORED', 'VIRTUAL'), pair.to);
    const writer = await oddly(pair);
    await pair.install();
    await inStep(pair);
    const running = await startRelay(pair);
    await running.until(() => running.relay.leader !== null, 'the relay leads');
    const list = ['id', ...columns];

    await t.test('in turns of a few rows', async (t) => {
      for (let i = 0; i < MOST_VALUES; i++) {
        await writer.query(rowsSql(i, 1));
        if (i % 5 === 4) await running.caughtUp();
      }
      await running.caughtUp();
      await sameBytes(t, pair, 'every', list, 'written');
      await writer.query('UPDATE every SET id = id + 500 WHERE id % 2 = 0');
      await running.caughtUp();
      await sameBytes(t, pair, 'every', list, 'keys changed');
    });

    await t.test('in a stream', async (t) => {
      await writer.query(rowsSql(1000, MANY));
      await running.caughtUp();
      await sameBytes(t, pair, 'every', list, 'written');
    });

    await t.test('generated columns, identities, and names that are words of the relay or odd', async (t) => {
      for (const { first, count } of [
        { first: 1, count: 3 },
        { first: 100, count: MANY },
      ]) {
        const numbers = `generate_series(${first}, ${first + count - 1}) i`;
        await writer.query(
          `INSERT INTO made OVERRIDING SYSTEM VALUE SELECT i, i, 'n' || i FROM ${numbers};
           INSERT INTO defaulted (v) SELECT i FROM generate_series(1, ${count}) i;
           INSERT INTO "We.ird ""T""" SELECT i, i, i, i, i, i, i, i FROM ${numbers};
           INSERT INTO t SELECT i, 'k' || i, i, i FROM ${numbers};
           UPDATE t SET k = 'it''s \\ {"' || k WHERE t < ${first + 2}`,
        );
        await running.caughtUp();
        await sameBytes(t, pair, 'made', ['id', 'a', 'b', 'doubled'], `made, ${count} rows`);
        await sameBytes(t, pair, 'defaulted', ['id', 'v'], `defaulted, ${count} rows`);
        await sameBytes(t, pair, '"We.ird ""T"""', WEIRD.map(ident), `odd names, ${count} rows`);
        await sameBytes(t, pair, 't', ['t', 'k', 'r', 'key'], `words, ${count} rows`);
      }
    });

    await t.test('in a backfill', async (t) => {
      for (const table of ['public.every', ...ODD_NAMES]) await running.relay.backfill(table, options);
      await running.caughtUp();
      await sameBytes(t, pair, 'every', list, 'every');
      await sameBytes(t, pair, 'made', ['id', 'a', 'b', 'doubled'], 'made');
      await sameBytes(t, pair, '"We.ird ""T"""', WEIRD.map(ident), 'odd names');
      await sameBytes(t, pair, 't', ['t', 'k', 'r', 'key'], 'words');
    });
    t.same([running.told.errors, running.told.stalled], [[], []]);
  });
}

const WEIRD = ['Ke"y', 'key', 'there', 'k', 'e', 'k0', 's', 'a.b'];

t.test('a regclass travels by name: where the target has no such table, its own table is stalled', async (t) => {
  const [source, target] = await Promise.all([startPostgres(), startPostgres()]);
  const pair = await makePair(source, target, 'CREATE TABLE a (id int PRIMARY KEY, r regclass, o oid)', ['public.a']);
  // Other oids than in the target.
  await source.query('CREATE TABLE filler (); CREATE TABLE other (); CREATE TABLE here_only ()', pair.from);
  await target.query('CREATE TABLE other ()', pair.to);
  await pair.install();
  await inStep(pair);
  const running = await startRelay(pair);
  await running.until(() => running.relay.leader !== null, 'the relay leads');
  await source.query("INSERT INTO a VALUES (1, 'other', 4000000000)", pair.from);
  await running.caughtUp();
  await sameBytes(t, pair, 'a', ['id', 'r', 'o'], 'regclass');
  const oidOf = async (server: TestPostgres, dbname: string): Promise<unknown> =>
    (await server.query('SELECT r::oid FROM a', dbname)).rows[0]?.r;
  t.not(await oidOf(source, pair.from), await oidOf(target, pair.to), 'another oid');
  await source.query("INSERT INTO a VALUES (2, 'here_only', 1)", pair.from);
  await running.until(() => running.told.stalled.length > 0, 'stalled');
  t.match(running.told.stalled, [/relation "public.here_only" does not exist/]);
});

t.test('bytes that are no UTF-8 are never applied as something else', async (t) => {
  const [source, target] = await Promise.all([startPostgres({ version: 15 }), startPostgres()]);
  const pair = await makePair(
    source,
    target,
    'CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY)',
    ['public.a', 'public.b'],
  );
  // As old databases are; a database cannot be made like this beside a template in UTF8.
  await source.query(
    `UPDATE pg_database SET encoding = pg_char_to_encoding('SQL_ASCII') WHERE datname = '${pair.from}'`,
  );
  await pair.install();
  await inStep(pair);
  const running = await startRelay(pair);
  await running.until(() => running.relay.leader !== null, 'the relay leads');
  const writer = await pair.connect('source');
  await writer.query(
    `SET client_encoding = 'SQL_ASCII'; INSERT INTO a VALUES (1, E'caf\\xe9'); INSERT INTO b VALUES (1)`,
  );
  await running.until(() => running.told.stalled.length > 0, 'stalled');
  t.match(running.told.stalled, [/invalid byte sequence for encoding "UTF8"/]);
  await running.until(async () => (await target.query('SELECT FROM b', pair.to)).rowCount === 1, 'others go on');
  t.equal((await target.query('SELECT FROM a', pair.to)).rowCount, 0);
});

t.test('what is small in the table and big on its way does not pass through the memory of the process', async (t) => {
  const server = await startPostgres();
  const pair = await makePair(server, server, 'CREATE TABLE a (id int PRIMARY KEY, v text, b bytea)', ['public.a']);
  await server.query(
    "INSERT INTO a VALUES (1, repeat('x', 1000000), NULL), (2, 'x', NULL), (3, NULL, decode(repeat('00', 1000000), 'hex'))",
    pair.from,
  );
  const stored = await server.query('SELECT max(pg_column_size(a)) AS size FROM a', pair.from);
  t.ok(Number(stored.rows[0]?.size) < 50_000, 'compressed');
  const side = new SourceSide(await openMirrorClient(pair.config, 'monolith', 'test'));
  await onTeardown(() => side.client.end());
  const shape = (await readShapes(side.client, ['public.a'])).get('public.a');
  if (shape === undefined) throw new Error('no shape');
  t.equal(await readSmall(side, [{ shape, keys: ['1'] }], '0/0'), null);
  t.equal(await readSmall(side, [{ shape, keys: ['3'] }], '0/0'), null);
  t.equal((await readSmall(side, [{ shape, keys: ['2', '7'] }], '0/0'))?.[0]?.rows.length, 1);
});
