import t from 'tap';
import { startPgfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';
import { pgfig } from './cli-run.js';

const server = await startPostgres({ version: 15 });
for (const name of ['shop', 'copy']) await server.query(`CREATE DATABASE ${name}`);
await server.query(
  `CREATE TABLE orders (id int PRIMARY KEY);
   CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype text NOT NULL, aggregateid text NOT NULL, payload jsonb)`,
  'shop',
);
const base = { database: 'orders_db', phase: 'monolith', tables: ['public.orders'] };
const running = await startPgfig({
  databases: { monolith: server.url('shop'), orders_db: server.url('copy') },
  rules: {
    orders: { ...base, outbox: { tables: ['public.outbox'] } },
    plain: { ...base, tables: ['public.plain'] },
  },
  // No broker: what is wrong with a table is seen all the same.
  config: { kafka: { brokers: ['127.0.0.1:1'] } },
});
const relay = (command: string, domain: string, ...args: string[]): ReturnType<typeof pgfig> =>
  pgfig(['relay', command, '-c', running.configFile, domain, ...args]);

t.test('status shows a stalled feed, retry looks at its table again at once', async (t) => {
  await running.until(
    async () => /stalled: public\.outbox: .*column/.test((await relay('status', 'orders')).stdout),
    'it is stalled for a column that is not there',
  );
  t.equal((await relay('status', 'orders')).code, 1, 'which is not good');
  await server.query('ALTER TABLE outbox ADD COLUMN type text', 'shop');
  const retried = await relay('retry', 'orders');
  t.match(retried, { code: 0, stdout: 'outbox relay: tried again: public.outbox\n' });
  // By itself it looks again after 30 s, later than this waits.
  await running.until(
    async () => /stalled: public\.outbox: .*order of the events/.test((await relay('status', 'orders')).stdout),
    'the next reason is found',
  );
});

t.test('as JSON, with the feeds as they stood', async (t) => {
  const { code, stdout } = await relay('retry', 'orders', '--json');
  t.equal(code, 0);
  const feed = {
    domain: 'orders',
    kind: 'outbox',
    stalled: [{ table: 'public.outbox', reason: /order of the events/ }],
  };
  t.match(JSON.parse(stdout), { feeds: [feed], feedsError: null });
  t.match(JSON.parse((await relay('status', 'orders', '--json')).stdout), { domain: 'orders', feeds: [feed] });
});

t.test('a domain without relay and feed is refused', async (t) => {
  const { code, stderr } = await relay('retry', 'plain');
  t.equal(code, 1);
  t.match(stderr, /domain plain is in phase monolith, in which nothing is mirrored/);
});

t.test('where no pgfig answers, nothing is said of the feeds', async (t) => {
  await running.stop();
  for (const command of ['status', 'retry']) {
    const { code, stdout } = await relay(command, 'orders');
    t.equal(code, 1, command);
    t.match(stdout, /^feeds to Kafka: not known, the admin API at .* cannot be reached: .*ECONNREFUSED/);
  }
});
