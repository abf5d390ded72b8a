import pg from 'pg';
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { storedMatrix } from '../../src/operator/matrix/stored-matrix.js';
import { startPgfig, type TestPgfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';
import { flush } from './flush.js';

const INTERVAL_MS = 1_000;
/** A worker's hand-over and the flush may both be late on a busy machine. */
const SLACK_MS = 1_500;

const server = await startPostgres();
await server.query('CREATE TABLE marks (id bigserial PRIMARY KEY)');

/** Inserts one row after the other until told to stop, over connections that break and are made anew. */
class Writer {
  /** performance.now() of each row that was acknowledged. */
  readonly acknowledged: number[] = [];
  /** Rows that may have been written, or not: their answer was lost. */
  unknown = 0;
  readonly done: Promise<void>;
  #stopped = false;

  constructor(url: string) {
    this.done = this.#run(url);
  }

  stop(): void {
    this.#stopped = true;
  }

  async #run(url: string): Promise<void> {
    while (!this.#stopped) {
      const client = new pg.Client({
        connectionString: url,
        application_name: 'writer',
        connectionTimeoutMillis: 2_000,
      });
      client.on('error', () => {});
      try {
        await client.connect();
        while (!this.#stopped) {
          this.unknown++;
          await client.query('INSERT INTO marks DEFAULT VALUES');
          this.unknown--;
          this.acknowledged.push(performance.now());
        }
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      client.end().catch(() => {});
    }
  }
}

const pidsOf = async (pgfig: TestPgfig): Promise<number[]> => {
  const status = await (await fetch(`http://127.0.0.1:${pgfig.adminPort}/api/status`)).json();
  return (status as { workers: { pid: number }[] }).workers.map(({ pid }) => pid);
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** The control process is the child of the primary that is no worker. */
async function controlPid(pgfig: TestPgfig): Promise<number> {
  const { readdir, readFile } = await import('node:fs/promises');
  const workers = await pidsOf(pgfig);
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (parent === pgfig.pid && !workers.includes(Number(entry))) return Number(entry);
  }
  throw new Error('no control process');
}

t.test('whichever process dies, no more is lost than one interval, and nothing is counted twice', async (t) => {
  const pgfig = await startPgfig({
    databases: { monolith: server.url() },
    config: { listen: { workers: 2 }, matrix: { flushInterval: `${INTERVAL_MS}ms` } },
  });
  const writers = Array.from({ length: 4 }, () => new Writer(pgfig.url()));
  const acknowledged = (): number => writers.reduce((sum, writer) => sum + writer.acknowledged.length, 0);
  const moreThan = (count: number) => pgfig.until(() => acknowledged() > count, `more than ${count} rows`);
  const deaths: number[] = [];
  const kill = (pid: number): void => {
    process.kill(pid, 'SIGKILL');
    deaths.push(performance.now());
  };
  const apart = async (): Promise<void> => {
    // What lies between two deaths, and in neither's interval, must be there.
    const since = performance.now();
    await pgfig.until(() => performance.now() - since > 2 * (INTERVAL_MS + SLACK_MS), 'enough time');
    await moreThan(acknowledged() + 100);
  };

  await apart();
  kill((await pidsOf(pgfig))[0] ?? 0);
  await apart();
  kill(await controlPid(pgfig));
  await pgfig.until(async () => (await pidsOf(pgfig).catch(() => [])).length === 2, 'control is back');
  await apart();
  const children = [...(await pidsOf(pgfig)), await controlPid(pgfig)];
  kill(pgfig.pid);
  for (const writer of writers) writer.stop();
  await Promise.all(writers.map((writer) => writer.done));
  await pgfig.until(() => !children.some(isAlive), 'the others end by themselves');

  const [cell] = (await storedMatrix(loadConfig(pgfig.configFile))).cells;
  const counted = cell?.statements ?? 0;
  const all = writers.flatMap((writer) => writer.acknowledged);
  const unknown = writers.reduce((sum, writer) => sum + writer.unknown, 0);
  const inDoubt = all.filter((at) => deaths.some((death) => at <= death && at > death - INTERVAL_MS - SLACK_MS));
  t.comment(
    `${all.length} acknowledged, ${unknown} unknown, ${counted} counted, ${inDoubt.length} just before a death`,
  );
  t.ok(counted <= all.length + unknown, 'nothing is counted twice');
  t.ok(counted >= all.length - inDoubt.length, 'no more is lost than an interval');
  t.ok(inDoubt.length < all.length, 'which is not everything');
  t.equal(cell?.rows, counted);
});

t.test('a control database that is down harms nobody, and loses nothing', async (t) => {
  const control = await startPostgres();
  const pgfig = await startPgfig({
    databases: { monolith: server.url() },
    config: { control: { url: control.url() }, matrix: { flushInterval: '1s' } },
  });
  await control.kill();
  const client = new pg.Client({ connectionString: pgfig.url(), application_name: 'patient' });
  await client.connect();
  for (let i = 0; i < 50; i++) await client.query('INSERT INTO marks DEFAULT VALUES');
  await pgfig.until(() => pgfig.logs().includes('the matrix cannot be stored'), 'it says so');
  for (let i = 0; i < 50; i++) await client.query('INSERT INTO marks DEFAULT VALUES');
  const metrics = await (await fetch(`http://127.0.0.1:${pgfig.adminPort}/metrics`)).text();
  t.match(metrics, /^pgfig_matrix_broken 1$/m);
  await control.restart();
  await pgfig.until(
    () =>
      flush(pgfig).then(
        () => true,
        () => false,
      ),
    'it is stored again',
  );
  const { cells } = await storedMatrix(loadConfig(pgfig.configFile));
  t.match(cells, [{ service: 'patient', table: 'public.marks', statements: 100, rows: 100 }]);
  t.equal(pgfig.logs().split('the matrix cannot be stored').length, 2, 'said once');
  for (let i = 0; i < 7; i++) await client.query('INSERT INTO marks DEFAULT VALUES');
  await client.end();
  t.equal(await pgfig.stop(), 0);
  const after = await storedMatrix(loadConfig(pgfig.configFile));
  t.equal(after.cells[0]?.statements, 107, 'a stop in good order stores the last of it');
});

t.test('with the matrix off nothing is counted, and nothing is made', async (t) => {
  const other = await startPostgres();
  const pgfig = await startPgfig({ databases: { monolith: other.url() }, config: { matrix: { enabled: false } } });
  const client = new pg.Client({ connectionString: pgfig.url() });
  await client.connect();
  await client.query('CREATE TABLE marks (id int)');
  await client.end();
  const response = await fetch(`http://127.0.0.1:${pgfig.adminPort}/api/matrix/flush`, { method: 'POST' });
  t.equal(response.status, 422);
  t.equal(await pgfig.stop(), 0);
  const { rows } = await other.query("SELECT 1 FROM pg_namespace WHERE nspname = 'pgfig'");
  t.same(rows, []);
});
