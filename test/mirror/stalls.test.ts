import { Writable } from 'node:stream';
import t, { type Test } from 'tap';
import type { BackfillOptions } from '../../src/mirror/relay/backfill-lane.js';
import { readTables } from '../../src/mirror/relay/target-store.js';
import { retry, status } from '../../src/operator/cli/relay.js';
import { writeConfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';
import { makePair, type Pair } from './capture-support.js';
import { bothOf, inStep, startRelay, type TestRelay } from './relay-support.js';

const [source, target] = await Promise.all([startPostgres({ version: 15 }), startPostgres()]);

const SCHEMA = `
  CREATE TABLE a (id int PRIMARY KEY, v text, n int); CREATE TABLE b (id int PRIMARY KEY, v text);
  CREATE TABLE p (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
  CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
  CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200);`;
const FILL = `INSERT INTO a SELECT i, 'v' || i, i FROM generate_series(1, 20) i; INSERT INTO b VALUES (1, 'b');
  INSERT INTO p SELECT i, 'p' FROM generate_series(90, 110) i`;

async function mirrored(schema = SCHEMA, tables = ['public.a', 'public.b', 'public.p']): Promise<Running> {
  const pair = await makePair(source, target, schema, tables);
  await pair.install();
  await inStep(pair);
  const running = await startRelay(pair);
  await running.until(() => running.relay.leader !== null, 'the relay leads');
  return { pair, ...running };
}

interface Running extends TestRelay {
  readonly pair: Pair;
}

const replace: BackfillOptions = {
  mode: 'replace',
  pace: async () => 1_000,
  onProgress: () => {},
  signal: new AbortController().signal,
};

async function equal(t: Test, pair: Pair, table: string): Promise<void> {
  const both = await bothOf(pair, table);
  t.ok(both.source.length > 0, `${table} has rows`);
  t.strictSame(both.target, both.source, `${table}: both copies`);
}

async function stateOf({ pair }: Running, table: string): Promise<Record<string, unknown> | undefined> {
  const client = await pair.connect('target');
  const found = (await readTables(client, 'orders')).find(({ name }) => name === table);
  return found && { state: found.state, reason: found.reason, remedy: found.remedy };
}

/** A command's exit code and what it printed. */
async function command(
  pair: Pair,
  which: typeof status | typeof retry,
  { json = false, user = 'postgres' } = {},
): Promise<{ code: number; text: string }> {
  const config = await writeConfig(
    {
      databases: {
        monolith: source.url(pair.from).replace('//postgres:', `//${user}:`),
        orders_db: target.url(pair.to),
      },
      rules: { orders: { database: 'orders_db', tables: pair.mirror.tables, phase: 'dual-write' } },
    },
    { listen: 1, admin: 2 },
  );
  let text = '';
  const output = new Writable({
    write: (chunk, _encoding, done) => {
      text += String(chunk);
      done();
    },
  });
  const code = await which('orders', { config, json }, output);
  return { code, text };
}

const waitingOf = async (pair: Pair, table: string): Promise<number> =>
  (await source.query(`SELECT FROM pgfig.outbox WHERE tbl = '${table}'::regclass`, pair.from)).rowCount ?? 0;

t.test('a constraint that only the target has stalls its table, until it is mended', async (t) => {
  const running = await mirrored();
  const { pair, relay, told, caughtUp, until } = running;
  await source.query(FILL, pair.from);
  await caughtUp();
  t.same((await command(pair, status)).code, 0, 'all is in step');
  await target.query("ALTER TABLE a ADD CONSTRAINT only_here CHECK (v <> 'bad')", pair.to);
  await source.query("UPDATE a SET v = 'bad' WHERE id = 1; INSERT INTO b VALUES (2, 'goes on')", pair.from);
  await until(async () => (await bothOf(pair, 'b')).target.length === 2, 'b goes on');
  t.match(told.stalled, [/^public\.a: .*violates check constraint "only_here"/]);
  t.equal(await relay.turnAfterNow(), 'stalled', 'nobody waits');
  t.match(await stateOf(running, 'public.a'), { state: 'stalled', reason: /only_here/, remedy: 'retry' });

  await source.query("UPDATE a SET n = 7 WHERE id = 2; UPDATE b SET v = v || '!'", pair.from);
  await until(async () => (await waitingOf(pair, 'b')) === 0, 'garbage of b is deleted');
  t.ok((await waitingOf(pair, 'a')) >= 2, 'the changes of a wait');
  t.not((await bothOf(pair, 'a')).target[0], (await bothOf(pair, 'a')).source[0]);
  const shown = await command(pair, status);
  t.equal(shown.code, 1);
  t.match(shown.text, /public\.a +stalled +2 +.*only_here.*mended by: retry/);
  const json = JSON.parse((await command(pair, status, { json: true })).text) as { leader: string; tables: object[] };
  t.match(json, { domain: 'orders', leader: /pgfig relay of orders/, tables: [{ state: 'stalled' }, {}, {}] });

  await target.query('ALTER TABLE a DROP CONSTRAINT only_here', pair.to);
  t.same(await command(pair, retry), { code: 0, text: 'tried again: public.a\n' });
  await until(() => relay.leader?.inStep === true, 'in step again');
  await caughtUp();
  for (const table of ['a', 'b']) await equal(t, pair, table);
  await until(async () => (await waitingOf(pair, 'a')) === 0, 'garbage of a is deleted');
  t.same(await command(pair, retry, { json: true }), { code: 0, text: '{"tables":[],"needBackfill":[]}\n' });
});

interface Change {
  readonly what: string;
  readonly table: 'a' | 'p';
  readonly sql: string;
  readonly reason: RegExp;
  /** What makes the target fit again. */
  readonly target?: string;
}

/** Each leaves rows that no event has told of, or that cannot be copied as they were. */
const CHANGES: readonly Change[] = [
  {
    what: 'a column added',
    table: 'a',
    sql: 'ALTER TABLE a ADD w int DEFAULT 5',
    target: 'ALTER TABLE a ADD w int',
    reason: /column w is new/,
  },
  {
    what: 'a column dropped',
    table: 'a',
    sql: 'ALTER TABLE a DROP n',
    target: 'ALTER TABLE a DROP n',
    reason: /column n is gone/,
  },
  {
    what: 'a column of another type',
    table: 'a',
    sql: 'ALTER TABLE a ALTER n TYPE bigint',
    target: 'ALTER TABLE a ALTER n TYPE bigint',
    reason: /column n was integer and is bigint/,
  },
  {
    what: 'a rewrite that keeps the type',
    table: 'a',
    sql: "ALTER TABLE a ALTER v TYPE text USING v || '?'",
    reason: /rewritten by ALTER TABLE/,
  },
  {
    what: 'a partition attached',
    table: 'p',
    sql: `CREATE TABLE p3 (id int NOT NULL, v text, PRIMARY KEY (id)); INSERT INTO p3 VALUES (250, 'was there');
          ALTER TABLE p ATTACH PARTITION p3 FOR VALUES FROM (200) TO (300)`,
    target: 'CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (200) TO (300)',
    reason: /partitions have changed: public\.p3 is new/,
  },
  {
    what: 'a partition created',
    table: 'p',
    sql: `CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (200) TO (300); INSERT INTO p VALUES (201, 'x')`,
    target: 'CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (200) TO (300)',
    reason: /partitions have changed: public\.p3 is new/,
  },
  {
    what: 'a partition detached',
    table: 'p',
    sql: 'ALTER TABLE p DETACH PARTITION p2',
    reason: /partitions have changed: public\.p2 is gone/,
  },
  {
    what: 'a partition dropped',
    table: 'p',
    sql: 'DROP TABLE p2',
    reason: /partitions have changed: public\.p2 is gone/,
  },
  {
    what: 'a table dropped and made again',
    table: 'a',
    sql: "DROP TABLE a; CREATE TABLE a (id int PRIMARY KEY, v text, n int); INSERT INTO a VALUES (9, 'new', 9)",
    reason: /dropped and made again/,
  },
  {
    what: 'triggers disabled',
    table: 'a',
    sql: "ALTER TABLE a DISABLE TRIGGER ALL; UPDATE a SET v = 'unseen'",
    reason: /capture triggers were changed or disabled/,
  },
  {
    what: 'a trigger disabled and enabled again in one transaction',
    table: 'a',
    sql: `BEGIN; ALTER TABLE a DISABLE TRIGGER pgfig_capture; UPDATE a SET v = 'unseen';
          ALTER TABLE a ENABLE ALWAYS TRIGGER pgfig_capture; COMMIT`,
    reason: /capture triggers were changed or disabled/,
  },
  {
    what: 'a trigger dropped',
    table: 'a',
    sql: "DROP TRIGGER pgfig_capture ON a; UPDATE a SET v = 'unseen'",
    reason: /capture triggers were changed or disabled/,
  },
];

t.test('what changes rows without an event stalls its table, and copying it again makes it equal', async (t) => {
  for (const { what, table, sql, reason, target: mend } of CHANGES) {
    await t.test(what, async (t) => {
      const running = await mirrored();
      const { pair, relay, told, caughtUp, until } = running;
      await source.query(FILL, pair.from);
      await caughtUp();
      await source.query(sql, pair.from);
      await source.query("INSERT INTO b VALUES (3, 'goes on')", pair.from);
      await until(() => told.stalled.length > 0, 'stalled');
      t.match(told.stalled, [new RegExp(`^public\\.${table}: .*${reason.source}`)]);
      t.match(await stateOf(running, `public.${table}`), { state: 'stalled', remedy: 'backfill' });
      await until(async () => (await bothOf(pair, 'b')).target.length === 2, 'b goes on');
      const again = await command(pair, retry);
      t.equal(again.code, 1);
      t.match(
        again.text,
        `to be copied again: public.${table} (pgfig backfill orders --table public.${table} --overwrite)`,
      );
      if (mend !== undefined) await target.query(mend, pair.to);
      await pair.install();
      await relay.backfill(`public.${table}`, replace);
      await caughtUp();
      for (const one of ['a', 'b', 'p']) await equal(t, pair, one);
      t.same(told.errors, []);
    });
  }
});

t.test('a table, or its whole schema, that is dropped stalls alone', async (t) => {
  const { pair, told, until } = await mirrored(
    'CREATE SCHEMA s; CREATE TABLE s.gone (id int PRIMARY KEY); CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)',
    ['s.gone', 'public.a', 'public.b'],
  );
  await source.query('DROP TABLE a', pair.from);
  await source.query('INSERT INTO b VALUES (1)', pair.from);
  await until(async () => (await bothOf(pair, 'b')).target.length === 1, 'b goes on');
  await source.query('DROP SCHEMA s CASCADE; INSERT INTO b VALUES (2)', pair.from);
  await until(async () => (await bothOf(pair, 'b')).target.length === 2, 'b goes on');
  t.match(told.stalled, [
    /^public\.a: the table is gone from the source/,
    /^s\.gone: the table is gone from the source/,
  ]);
  t.same(told.errors, []);
});

t.test('what changes no row stalls nothing', async (t) => {
  const { pair, told, caughtUp, relay } = await mirrored();
  await source.query(FILL, pair.from);
  await caughtUp();
  for (const sql of [
    'VACUUM FULL a',
    'CLUSTER a USING a_pkey',
    'ANALYZE a, p',
    'VACUUM (FREEZE) a',
    'ALTER TABLE a ALTER n SET STATISTICS 500',
    'ALTER TABLE a ALTER n SET DEFAULT 4',
    'ALTER TABLE a ALTER v SET STORAGE EXTERNAL',
    'ALTER TABLE p ALTER v SET DEFAULT 4',
    'ALTER TABLE a SET (fillfactor = 50)',
    'CREATE INDEX ON a (v)',
    "COMMENT ON TABLE a IS 'x'",
    'VACUUM FULL p1',
    'TRUNCATE b',
  ]) {
    // Compared with what was stored, as after another instance has taken over.
    relay.leader?.outdated();
    await source.query(sql, pair.from);
    await source.query("INSERT INTO b VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET v = b.v || 'x'", pair.from);
    await source.query("UPDATE a SET v = v || '.' WHERE id = 1; UPDATE p SET v = v || '.' WHERE id = 95", pair.from);
    await caughtUp();
    t.same(told.stalled, [], sql);
  }
  for (const table of ['a', 'b', 'p']) await equal(t, pair, table);
});

t.test('relay commands of a domain that is not installed', async (t) => {
  const pair = await makePair(source, target, SCHEMA, ['public.a']);
  t.match(await command(pair, status), { code: 1, text: /nothing is installed \(pgfig mirror install orders\)/ });
  t.same(await command(pair, status, { json: true }), { code: 1, text: 'null\n' });
  t.match(await command(pair, retry), { code: 1, text: /nothing is installed/ });
  await pair.install();
  t.match(await command(pair, status), { code: 1, text: /relay: runs nowhere/ }, 'installed, and nobody relays');
  await t.rejects(
    status('nix', { config: await writeConfig({ databases: { m: source.url() } }, { listen: 1, admin: 2 }) }),
    { code: 'NAME_UNKNOWN' },
  );
});

t.test('a table that the relay may not read any more stalls alone, until it may', async (t) => {
  await source.query("CREATE ROLE reader SUPERUSER LOGIN PASSWORD 'postgres'");
  const pair = await makePair(source, target, SCHEMA, ['public.a', 'public.b'], { source: 'reader' });
  await pair.install();
  await inStep(pair);
  const { told, until, caughtUp, relay } = await startRelay(pair);
  await until(() => relay.leader !== null, 'the relay leads');
  await source.query('GRANT SELECT ON b TO reader; ALTER ROLE reader NOSUPERUSER', pair.from);
  await source.query(FILL, pair.from);
  await until(async () => (await bothOf(pair, 'b')).target.length === 1, 'b goes on');
  t.match(told.stalled, [/^public\.a: permission denied for table a/]);
  await source.query('GRANT SELECT ON a TO reader', pair.from);
  t.match(await command(pair, retry, { user: 'reader' }), { code: 0, text: 'tried again: public.a\n' });
  await until(() => relay.leader?.inStep === true, 'in step again');
  await caughtUp();
  for (const table of ['a', 'b']) await equal(t, pair, table);
  t.same(told.errors, []);
});
