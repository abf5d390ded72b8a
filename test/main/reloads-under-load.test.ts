import { EventEmitter, once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import t from 'tap';
import { stringify } from 'yaml';
import { startPgfig, type TestPgfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';

/**
 * A thousand changes of the rules while clients work, over real files, processes and servers. `moving` has two copies
 * that can be told apart, and each change flips where it is read. Every answer must come from a copy that was right for
 * a version that was in effect somewhere between the statement's begin and its end.
 */
const RELOADS = 1_000;
/** Memory is compared between here and the end: before, caches fill and code is compiled. */
const WARM = 250;
const MAX_GROWTH_BYTES = 5 * 1024 * 1024;

const server = await startPostgres();
await Promise.all([server.query('CREATE DATABASE shop'), server.query('CREATE DATABASE orders')]);
const MOVING = 'CREATE TABLE moving (id int PRIMARY KEY, side text, n int NOT NULL);';
await server.query(
  `${MOVING} INSERT INTO moving SELECT id, 'monolith', 0 FROM generate_series(1, 20) id;
   CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'Ada')`,
  'shop',
);
await server.query(
  `${MOVING} INSERT INTO moving SELECT id, 'orders_db', 0 FROM generate_series(1, 20) id;
   CREATE TABLE settled (id int PRIMARY KEY); INSERT INTO settled VALUES (7)`,
  'orders',
);

type Phase = 'shadow-read' | 'read-new';
const phaseOf = (version: number): Phase => (version % 2 === 1 ? 'shadow-read' : 'read-new');
const sideOf = (version: number): string => (phaseOf(version) === 'read-new' ? 'orders_db' : 'monolith');
const ruleOf = (version: number) => ({
  database: 'orders_db',
  tables: ['public.moving'],
  phase: phaseOf(version),
  mirror: { capture: 'none' },
});
/** A domain with many tables makes a set of rules big enough for a leak to show. */
const many = Array.from({ length: 300 }, (_, index) => `public.a_table_with_a_long_name_${index}`);

const pgfig: TestPgfig = await startPgfig({
  databases: { monolith: server.url('shop'), orders_db: server.url('orders') },
  rules: {
    moving: ruleOf(1),
    settled: { database: 'orders_db', tables: ['public.settled'], phase: 'write-new' },
    many: { database: 'orders_db', tables: many, phase: 'monolith' },
  },
  config: { listen: { workers: 2 } },
  env: { NODE_OPTIONS: `--import=${new URL('../support/gc-on-signal.js', import.meta.url).href}` },
});
const admin = `http://127.0.0.1:${pgfig.adminPort}`;

/** What the changes have come to: the last version that every worker had, and the last one that may be anywhere. */
const rules = { settled: 1, issued: 1, done: false };
/** Clients take a step when a change begins and when it has arrived: at it and after it, and not all the time. */
const pulse = new EventEmitter().setMaxListeners(50);
const seen = { answers: 0, exact: 0, pinned: 0, written: 0, sessions: 0 };
const faults: string[] = [];

async function connect(): Promise<pg.Client> {
  const client = new pg.Client(pgfig.url());
  client.on('error', (error) => faults.push(`connection: ${error.message}`));
  await client.connect();
  seen.sessions += 1;
  return client;
}

/** Where `moving` is read now; complains where no version between begin and end reads it there. */
async function readMoving(query: () => Promise<pg.QueryResult>): Promise<string> {
  const first = rules.settled;
  const side = String((await query()).rows[0]?.side);
  const last = rules.issued;
  seen.answers += 1;
  if (first === last) seen.exact += 1;
  const right = last > first ? ['monolith', 'orders_db'] : [sideOf(first)];
  if (!right.includes(side))
    faults.push(`versions ${first} to ${last} read in ${right}, and the answer is from ${side}`);
  return side;
}

const SIDE = 'SELECT side FROM moving WHERE id = 1';
const PREPARED = { name: 'side', text: 'SELECT side FROM moving WHERE id = $1', values: [1] };

async function simple(client: pg.Client): Promise<void> {
  await readMoving(() => client.query(SIDE));
  const { rows } = await client.query('SELECT name FROM users WHERE id = 1');
  if (rows[0]?.name !== 'Ada') faults.push('users was read elsewhere');
}

async function prepared(client: pg.Client): Promise<void> {
  await readMoving(() => client.query(PREPARED));
  const { rows } = await client.query({ name: 'settled', text: 'SELECT id FROM settled WHERE id = $1', values: [7] });
  if (rows[0]?.id !== 7) faults.push('settled was read elsewhere');
}

/** Open over at least two changes: what the first statement chose holds to the end. */
async function transaction(client: pg.Client): Promise<void> {
  await client.query('BEGIN');
  const side = await readMoving(() => client.query(SIDE));
  const until = rules.settled + 3;
  while (rules.settled < until && !rules.done) await once(pulse, 'beat');
  for (const query of [SIDE, PREPARED]) {
    const now = String((await client.query(query)).rows[0]?.side);
    if (now !== side) faults.push(`a transaction that began in ${side} read in ${now}`);
  }
  seen.pinned += 1;
  await client.query('COMMIT');
}

/** Writes stay in the monolith, and so does what a transaction reads of what it has written. */
async function write(client: pg.Client, id: number): Promise<void> {
  await client.query('BEGIN');
  await client.query('UPDATE moving SET n = n + 1 WHERE id = $1', [id]);
  const { rows } = await client.query('SELECT side, n FROM moving WHERE id = $1', [id]);
  if (rows[0]?.side !== 'monolith') faults.push(`its own write was looked for in ${rows[0]?.side}`);
  await client.query('COMMIT');
  seen.written += 1;
}

async function work(step: (client: pg.Client) => Promise<void>, perSession = Number.POSITIVE_INFINITY): Promise<void> {
  while (!rules.done) {
    const client = await connect();
    for (let turn = 0; turn < perSession && !rules.done; turn++) {
      await once(pulse, 'beat');
      await step(client);
    }
    await client.end();
  }
}

/** Resolves when every worker routes by this version, by whatever way it came. */
async function settled(version: number): Promise<void> {
  await pgfig.until(async () => {
    const { workers } = JSON.parse(await (await fetch(`${admin}/api/rules`)).text());
    return workers.every((worker: { rulesVersion: number }) => worker.rulesVersion === version);
  }, `version ${version}`);
}

async function change(version: number): Promise<void> {
  const folder = join(pgfig.folder, 'routing-rules');
  const text = stringify({ domain: 'moving', ...ruleOf(version) });
  rules.issued = version;
  pulse.emit('beat');
  await writeFile(join(folder, '.moving.tmp'), text);
  await rename(join(folder, '.moving.tmp'), join(folder, 'moving.yaml'));
  if (version % 50 === 10) process.kill(pgfig.pid, 'SIGHUP');
  // Now and then the watch alone must do.
  if (version % 50 === 10 || version % 50 === 20) await settled(version);
  else {
    const answer = JSON.parse(await (await fetch(`${admin}/api/reload`, { method: 'POST' })).text());
    if (answer.version !== version || !answer.everywhere) faults.push(`reload ${version}: ${JSON.stringify(answer)}`);
  }
  rules.settled = version;
  const { exact } = seen;
  // Answers that can be right in one way only: asked after this change, answered before the next.
  while (seen.exact < exact + 2) {
    pulse.emit('beat');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Bytes that each process holds after a collection, by its pid. */
async function heaps(pids: readonly number[]): Promise<ReadonlyMap<number, number>> {
  const from = pgfig.logs().length;
  const said = (): Map<number, number> =>
    new Map(
      [
        ...pgfig
          .logs()
          .slice(from)
          .matchAll(/^heap (\d+) (\d+)$/gm),
      ].map(([, pid, size]) => [Number(pid), Number(size)]),
    );
  for (const pid of pids) process.kill(pid, 'SIGUSR2');
  await pgfig.until(() => said().size === pids.length, 'heap sizes');
  return said();
}

t.test(`${RELOADS} reloads under load`, async (t) => {
  const status = JSON.parse(await (await fetch(`${admin}/api/status`)).text());
  const control = Number(/"process":"control","pid":(\d+)/.exec(pgfig.logs())?.[1]);
  const pids = [pgfig.pid, control, ...status.workers.map(({ pid }: { pid: number }) => pid)];
  t.equal(pids.filter((pid) => pid > 0).length, 4, 'primary, control, two workers');

  const clients = [
    ...[1, 2].map(() => work(simple)),
    ...[1, 2].map(() => work(prepared)),
    ...[1, 2, 3].map(() => work(transaction)),
    ...[1, 2].map((id) => work((client) => write(client, id))),
    work(prepared, 5),
  ].map((running) => running.catch((error: Error) => void faults.push(`a client failed: ${error.message}`)));

  const began = Date.now();
  let warm: ReadonlyMap<number, number> = new Map();
  for (let version = 2; version <= RELOADS + 1; version++) {
    await change(version);
    if (version === WARM) warm = await heaps(pids);
  }
  rules.done = true;
  pulse.emit('beat');
  await Promise.all(clients);
  const end = await heaps(pids);
  t.comment(`${Date.now() - began} ms, ${JSON.stringify(seen)}`);

  t.strictSame([...new Set(faults)].slice(0, 10), [], `no error, no wrong route`);
  t.ok(seen.exact >= 2 * RELOADS, 'many answers where only one copy was right');
  t.ok(seen.pinned > 50 && seen.written > 50, 'transactions over changes');
  const sum = async (dbname: string) =>
    Number((await server.query('SELECT sum(n) AS n FROM moving', dbname)).rows[0]?.n);
  t.strictSame([await sum('shop'), await sum('orders')], [seen.written, 0], 'every write is in the monolith, once');
  for (const pid of pids) {
    const growth = (end.get(pid) ?? 0) - (warm.get(pid) ?? 0);
    t.comment(
      `process ${pid}: ${Math.round((end.get(pid) ?? 0) / 1024)} kB held, ${Math.round(growth / 1024)} kB more`,
    );
    t.ok(growth < MAX_GROWTH_BYTES, `no leak in process ${pid}`);
  }

  const answer = JSON.parse(await (await fetch(`${admin}/api/rules`)).text());
  t.match(answer, {
    version: RELOADS + 1,
    errors: 0,
    pending: [],
    workers: [
      { worker: 1, rulesVersion: RELOADS + 1 },
      { worker: 2, rulesVersion: RELOADS + 1 },
    ],
  });
  const metrics = await (await fetch(`${admin}/metrics`)).text();
  t.match(metrics, `pgfig_worker_rules_version{worker="2"} ${RELOADS + 1}\n`);
  t.notMatch(metrics, /pgfig_worker_restarts_total\{[^}]*\} [1-9]|pgfig_refusals_total\{[^}]*\} [1-9]/);
});
