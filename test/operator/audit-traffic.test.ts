import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { foundOf } from '../../src/operator/matrix/activity.js';
import { TableActivity } from '../../src/operator/matrix/table-activity.js';
import { flush } from '../matrix/flush.js';
import { until } from '../session/two-databases.js';
import { startPgfig } from '../support/pgfig.js';
import { startAuditShop } from './audit-shop.js';

const ROUNDS = 20;
const CLIENTS = 6;

const shop = await startAuditShop();
// A second instance of the fleet, with the same databases.
const second = await startPgfig({
  databases: { monolith: shop.monolith.url('shop'), orders_db: shop.orders.url('orders') },
  config: { matrix: { flushInterval: '1s' } },
});
await shop.watched();
const admins = [shop.pgfig, second].flatMap(({ adminPort }) => ['--admin', `http://127.0.0.1:${adminPort}`]);

t.test('traffic through the proxies is never taken for traffic past them', async (t) => {
  let stop = false;
  let statements = 0;
  const work = async (number: number): Promise<void> => {
    const client = number % 2 === 0 ? await shop.connect('busy-service') : await shop.openAt(second, 'busy-service');
    for (let i = 0; !stop; i++) {
      await client.query('UPDATE busy SET n = n + 1 WHERE id = $1', [1 + ((i + number) % 20)]);
      await client.query("INSERT INTO mixed (note) VALUES ('a'), ('b')");
      await client.query('BEGIN');
      await client.query('DELETE FROM mixed WHERE id % 3 = $1', [number % 3]);
      await client.query(i % 4 === 0 ? 'ROLLBACK' : 'COMMIT');
      await client.query('SELECT count(*) FROM scanned');
      statements += 4;
      if (i % 50 === 0) await client.query("INSERT INTO triggering (note) VALUES ('x')");
    }
    await client.end();
  };
  const working = Promise.all(Array.from({ length: CLIENTS }, (_, number) => work(number)));
  const activity = new TableActivity(loadConfig(shop.pgfig.configFile));
  const options = {
    flush: async () => {
      await Promise.all([flush(shop.pgfig), flush(second)]);
    },
    ...{ patience: 0, lag: 200 },
  };
  for (let round = 1; round <= ROUNDS; round++) {
    const { activities, failures } = await activity.compare({ ...options, renew: round % 2 === 0 });
    t.equal(failures.size, 0);
    const found = activities.filter((each) => foundOf(each).writes > 0 || foundOf(each).scansAt !== null);
    t.same(
      found.map((each) => [each.table, foundOf(each)]),
      [],
      `round ${round}, after ${statements} statements`,
    );
  }
  stop = true;
  await working;
  const stray = await shop.open('stray job');
  await stray.query("INSERT INTO mixed (note) SELECT 'past' FROM generate_series(1, 5)");
  await stray.end();
  // Connections hand over what they have counted a little after they have answered, or when they end.
  await until(async () => {
    const { activities } = await activity.compare({ ...options, renew: false });
    const mixed = activities.find(({ table, database }) => table === 'public.mixed' && database === 'monolith');
    return mixed !== undefined && foundOf(mixed).writes === 5;
  }, 'the five rows that were written past them are found, to the row');
  t.ok(statements > ROUNDS * CLIENTS, `${statements} statements`);
});

t.test('the sessions of every instance that is named are its own, and those of others are not', async (t) => {
  const [one, two] = [await shop.connect('one'), await shop.openAt(second, 'two')];
  const other = await shop.openAt(second, 'passed', 'postgres');
  await other.query('SELECT 1');
  for (const client of [one, two]) await client.query('SELECT * FROM held');
  const sessionsOf = async (...args: string[]): Promise<readonly string[]> => {
    const { stdout } = await shop.audit('public.held', '--json', ...args);
    const { sessions } = JSON.parse(stdout) as { sessions: { sessions: { application: string }[] }[] };
    return sessions.flatMap((sight) => sight.sessions.map(({ application }) => application)).filter((a) => a !== '');
  };
  t.same(await sessionsOf(...admins), []);
  t.same(await sessionsOf(), ['two'], 'an instance that is not named is a stranger');
  const backends = await fetch(`http://127.0.0.1:${second.adminPort}/api/backends`);
  t.match(await backends.json(), {
    complete: true,
    routed: { monolith: [Number] },
    passedThrough: { monolith: [Number] },
  });
  await Promise.all([one, two, other].map((client) => client.end()));
});
