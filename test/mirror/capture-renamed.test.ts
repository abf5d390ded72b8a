import t from 'tap';
import type { InstallStep } from '../../src/mirror/capture/install.js';
import { mirrorStatus } from '../../src/mirror/capture/status.js';
import { startPostgres } from '../support/postgres.js';
import { makePair, type Pair } from './capture-support.js';

const source = await startPostgres({ version: 15 });
const target = await startPostgres({ version: 18 });

const SCHEMA = `
CREATE TABLE orders (id int PRIMARY KEY, n int);
CREATE TABLE lines (id int PRIMARY KEY, n int);
CREATE TABLE tags (id int PRIMARY KEY, n int);
`;
const TABLES = ['public.orders', 'public.lines', 'public.tags'];
const WITHOUT = { tables: ['public.orders', 'public.tags'] };

/** What a change feed that has begun and sends nothing leaves in the source. */
async function captured(): Promise<Pair> {
  const pair = await makePair(source, target, SCHEMA, TABLES);
  await pair.install();
  await source.query(
    `INSERT INTO pgfig.consumers VALUES (1, 'kafka', pg_current_snapshot(), now()),
                                        (1, 'kafka:public.tags', pg_current_snapshot(), now())`,
    pair.from,
  );
  await source.query(
    'INSERT INTO orders VALUES (1); INSERT INTO lines VALUES (1); INSERT INTO tags VALUES (1)',
    pair.from,
  );
  return pair;
}

const namesIn = async ({ from }: Pair): Promise<unknown> =>
  (
    await source.query(
      `SELECT table_name, (SELECT count(*)::int FROM pgfig.outbox WHERE tbl = table_oid) AS events
                         FROM pgfig.captured ORDER BY 1`,
      from,
    )
  ).rows;

async function steps(pair: Pair, mirror: object): Promise<readonly InstallStep[]> {
  const all: InstallStep[] = [];
  await pair.install({ mirror, onStep: (step) => void all.push(step) });
  return all;
}

t.test('a table that is renamed with its rule is known by its new name, and its feed keeps its place', async (t) => {
  const pair = await captured();
  for (const [server, dbname] of [
    [source, pair.from],
    [target, pair.to],
  ] as const) {
    await server.query('ALTER TABLE tags RENAME TO labels', dbname);
  }
  const mirror = { tables: ['public.orders', 'public.lines', 'public.labels'] };
  t.match(await mirrorStatus(pair.config, { ...pair.mirror, ...mirror }), { installed: false });
  t.match(await steps(pair, mirror), [{ kind: 'captured', table: 'public.labels' }]);
  t.strictSame(await namesIn(pair), [
    { table_name: 'public.labels', events: 1 },
    { table_name: 'public.lines', events: 1 },
    { table_name: 'public.orders', events: 1 },
  ]);
  const { rows } = await source.query('SELECT consumer FROM pgfig.consumers ORDER BY 1', pair.from);
  t.strictSame(rows, [{ consumer: 'kafka' }, { consumer: 'kafka:public.labels' }]);
  t.strictSame(await steps(pair, mirror), [], 'nothing is left to do');
});

t.test('a table that has left the rule is kept for its feed, and whoever asks is told so', async (t) => {
  const pair = await captured();
  t.match(await steps(pair, WITHOUT), [{ kind: 'stopped', table: 'public.lines', reason: /yet to send/ }]);
  t.match(await pair.install({ mirror: WITHOUT }), {
    changed: [],
    warnings: [/table public\.lines has left the rule: .*yet to send/],
  });
  await t.rejects(pair.install({ mirror: { domain: 'stock', tables: ['public.lines'] } }), {
    code: 'MIRROR_REFUSED',
    message: /public\.lines in monolith: it has left domain orders, whose change feed has yet to send/,
  });
});

for (const [what, change] of Object.entries({
  renamed: 'ALTER TABLE lines RENAME TO old_lines',
  dropped: 'DROP TABLE lines',
  'made again': 'DROP TABLE lines; CREATE TABLE lines (id int PRIMARY KEY)',
  'given another key':
    'ALTER TABLE lines DROP CONSTRAINT lines_pkey, ALTER n SET NOT NULL; ALTER TABLE lines ADD PRIMARY KEY (n)',
})) {
  t.test(`a table that has left the rule is ${what}: nobody can send its rows, and nothing is kept`, async (t) => {
    const pair = await captured();
    await source.query('UPDATE lines SET n = 1', pair.from);
    await steps(pair, WITHOUT);
    await source.query(change, pair.from);
    t.match(await steps(pair, WITHOUT), [{ kind: 'released', table: 'public.lines', reason: /is not sent/ }]);
    t.strictSame(await namesIn(pair), [
      { table_name: 'public.orders', events: 1 },
      { table_name: 'public.tags', events: 1 },
    ]);
    t.strictSame(await steps(pair, WITHOUT), []);
  });
}
