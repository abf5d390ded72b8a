import t, { type Test } from 'tap';
import { flush } from '../matrix/flush.js';
import { until } from '../session/two-databases.js';
import { startAuditShop } from './audit-shop.js';

interface Audited {
  readonly verdict: string;
  readonly reasons: readonly string[];
  readonly places: readonly {
    readonly table: string;
    readonly database: string;
    readonly judged: boolean;
    readonly services: readonly Record<string, unknown>[];
    readonly counters: Record<string, unknown> | null;
  }[];
  readonly sessions: readonly {
    readonly database: string;
    readonly untold: string | null;
    readonly sessions: readonly Record<string, unknown>[];
  }[];
  readonly unseen: readonly Record<string, unknown>[];
  readonly notices: readonly string[];
}

const shop = await startAuditShop();
await shop.watched();

async function audited(t: Test, code: number, ...args: string[]): Promise<Audited> {
  const { code: given, stdout, stderr } = await shop.audit(...args, '--json');
  t.equal(given, code, `audit ${args.join(' ')} ends with ${code}: ${stdout.slice(0, 300)}${stderr}`);
  return JSON.parse(stdout);
}
/** Until the server shows work past the proxy: connections hand over what they have counted when they end. */
const counted = (table: string, column: string, least: number): Promise<void> =>
  until(async () => {
    const [row] = await shop.past<{ n: number }>(
      `SELECT (${column})::float8 AS n FROM pg_stat_user_tables WHERE relname = '${table}'`,
    );
    return row !== undefined && row.n >= least;
  }, `${column} of ${table}`);
/** A connection of its own, so that its counts are there when it is gone. */
async function past(sql: string): Promise<void> {
  const client = await shop.open('stray job');
  await client.query(sql);
  await client.end();
}

t.test('nobody', async (t) => {
  const { verdict, places, sessions } = await audited(t, 0, 'public.quiet', '--ignore', 'nobody');
  t.equal(verdict, 'unused');
  t.match(places, [{ table: 'public.quiet', database: 'monolith', judged: true, services: [] }]);
  t.match(places[0]?.counters, { writes: 0, writesAt: null, scansAt: null, doubts: [] });
  t.match(sessions, [{ database: 'monolith', untold: null }]);
  const { code, stdout } = await shop.audit('quiet');
  t.equal(code, 0);
  t.match(stdout, /^table public\.quiet\n/);
  t.match(stdout, /through pgfig\n {4}nobody\n/);
  t.match(stdout, /Nothing that pgfig can see uses it within 90 days\.\nThe counters of the server are watched since/);
});

t.test('a service through the proxy, and the grace', async (t) => {
  const client = await shop.connect('order-service');
  await client.query("INSERT INTO served VALUES (1, 'secret')");
  await client.query('SELECT * FROM served WHERE id = 1');
  const { reasons, places } = await audited(t, 1, 'served');
  t.same(reasons, ['order-service uses public.served in monolith']);
  t.match(places[0]?.services, [{ service: 'order-service', letters: 'RW', statements: 2, hiddenPercent: 0 }]);
  t.match(places[0]?.counters, { writes: 0, writesAt: null, scansAt: null }, 'nothing of it is past the proxy');
  const text = (await shop.audit('served')).stdout;
  t.match(text, /order-service +RW +2 +- +- +\d{4}-\d\d-\d\d \d\d:\d\d, less than a minute ago\n/);
  t.notMatch(text, /secret/);
  t.equal((await audited(t, 0, 'served', '--ignore', 'order-*')).verdict, 'unused');

  await client.end();
  await shop.past("UPDATE pgfig.matrix SET last_seen = now() - interval '10 days' WHERE table_name = 'public.served'");
  await audited(t, 1, 'served', '--grace', '2w');
  t.equal((await audited(t, 0, 'served', '--grace', '9d')).verdict, 'unused');
  t.match((await shop.audit('served', '--grace', '9d')).stdout, /10 days ago +too long ago to count/);
});

t.test('a domain is its tables', async (t) => {
  const { places, reasons } = await audited(t, 0, 'several', '--grace', '9d');
  t.same(
    places.map(({ table }) => table),
    ['public.quiet', 'public.served'],
  );
  t.same(reasons, []);
  t.match((await shop.audit('several')).stdout, /^domain several: public\.quiet, public\.served\n/);
});

t.test('a writer past the proxy', async (t) => {
  await past("INSERT INTO written (note) SELECT 'x' FROM generate_series(1, 7)");
  await counted('written', 'n_tup_ins', 7);
  const { reasons, places } = await audited(t, 1, 'written');
  t.same(reasons, ['something writes public.written in monolith past pgfig']);
  t.match(places[0]?.counters, { writes: 7, certain: true });
  t.match((await shop.audit('written')).stdout, /7 rows written that pgfig has not written, last found/);

  const client = await shop.connect('order-service');
  await client.query("INSERT INTO mixed (note) VALUES ('a'), ('b')");
  await client.end();
  await past("INSERT INTO mixed (note) VALUES ('c')");
  await counted('mixed', 'n_tup_ins', 3);
  t.match((await audited(t, 1, 'mixed')).places[0]?.counters, { writes: 1, certain: false });
});

t.test('a reader past the proxy', async (t) => {
  await past('SELECT count(*) FROM scanned');
  await counted('scanned', 'seq_scan', 1);
  const { reasons, places } = await audited(t, 1, 'scanned');
  t.same(reasons, ['something reads public.scanned in monolith past pgfig']);
  t.match(places[0]?.counters, { writes: 0, scans: 1 });
});

t.test('a moved table, whose old copy somebody still reads', async (t) => {
  const client = await shop.connect('order-service');
  await client.query('SELECT * FROM moved');
  await client.end();
  const before = await audited(t, 0, 'moving');
  t.match(before.places, [
    { database: 'monolith', judged: true, services: [] },
    { database: 'orders_db', judged: false, services: [{ service: 'order-service' }] },
  ]);
  t.match((await shop.audit('moving')).stdout, /public\.moved in orders_db \(it has moved here: use does not count\)/);
  t.same((await audited(t, 1, 'moved', '--database', 'orders_db')).reasons, [
    'order-service uses public.moved in orders_db',
  ]);
  await past('SELECT count(*) FROM moved');
  await counted('moved', 'seq_scan', 1);
  t.same((await audited(t, 1, 'moved')).reasons, ['something reads public.moved in monolith past pgfig']);
});

t.test('partitions', async (t) => {
  const client = await shop.connect('order-service');
  await client.query("INSERT INTO parts VALUES (1, 1, 'a'), (2, 11, 'b'), (3, 12, 'c')");
  await client.query('UPDATE parts SET day = 13 WHERE id = 1');
  await client.query('DELETE FROM parts_2 WHERE id = 2');
  await client.end();
  await counted('parts_2', 'n_tup_ins + n_tup_del', 4);
  const own = await audited(t, 1, 'parts');
  t.match(own.places[0]?.counters, { writes: 0, writesAt: null });
  t.match(own.places[0]?.services, [{ service: 'order-service', letters: 'W' }]);
  await past('INSERT INTO bypassed_parts VALUES (1, 1), (2, 2)');
  await counted('bypassed_parts_1', 'n_tup_ins', 2);
  t.match((await audited(t, 1, 'bypassed_parts')).places[0]?.counters, { writes: 2, certain: true });
});

t.test('what triggers write, foreign keys check and failures leave is no false alarm', async (t) => {
  const client = await shop.connect('order-service');
  await client.query("INSERT INTO triggering (note) VALUES ('a')");
  await client.query('INSERT INTO children (parent) VALUES (1), (2)');
  await t.rejects(client.query('INSERT INTO failing VALUES (2), (1)'));
  await client.query('BEGIN');
  await client.query('INSERT INTO failing VALUES (3)');
  await client.query('ROLLBACK');
  await client.end();
  await counted('triggered', 'n_tup_ins', 2);
  await counted('parents', 'idx_scan', 1);
  await counted('failing', 'n_tup_ins', 4);
  const triggered = await audited(t, 1, 'triggered');
  t.match(triggered.places[0]?.counters, { writes: 0, writesAt: null, doubts: ['hidden'] });
  t.match(triggered.places[0]?.services, [{ service: 'order-service', letters: 'W', hiddenPercent: 100 }]);
  t.match((await audited(t, 1, 'failing')).places[0]?.counters, { writes: 0, doubts: ['failed'] });
  const parents = await audited(t, 0, 'parents');
  t.match(parents.places[0]?.counters, { scans: 0, scansAt: null, doubts: ['foreign-keys'] });
  t.match((await shop.audit('parents')).stdout, /no verdict on scans: tables tied to it by foreign keys were written/);
});

t.test('sessions past the proxy', async (t) => {
  await shop.past('CREATE ROLE other LOGIN');
  await shop.past('GRANT ALL ON ALL TABLES IN SCHEMA public TO other');
  const own = await shop.connect('order-service');
  await own.query('SELECT 1');
  const [toucher, locker, idler] = await Promise.all([
    shop.open('toucher'),
    shop.open('locker'),
    shop.open('', 'other'),
  ]);
  await toucher.query("SELECT * FROM held WHERE note = 'secret'");
  await locker.query('BEGIN');
  await locker.query('LOCK TABLE held IN ACCESS SHARE MODE');
  await locker.query('SELECT 1');
  await idler.query('SELECT * FROM scanned');
  const { sessions, reasons } = await audited(t, 1, 'public.held');
  const rows = sessions[0]?.sessions ?? [];
  const of = (key: string, value: string): unknown => rows.find((row) => row[key] === value);
  t.match(of('application', 'toucher'), { doing: 'touches', state: 'idle', text: 'SELECT * FROM held WHERE note = ?' });
  t.match(of('application', 'locker'), { doing: 'locks', state: 'idle in transaction', passedThrough: false });
  t.match(of('user', 'other'), { doing: 'other tables', text: '', client: '127.0.0.1' });
  t.equal(of('application', 'order-service'), undefined, 'the links of the proxy are its own');
  t.ok(reasons.some((reason) => /a session of toucher \(pid \d+ of monolith\) has it in hand/.test(reason)));
  const text = (await shop.audit('held', '--ignore', 'toucher', 'locker')).stdout;
  t.match(
    text,
    /toucher, from 127\.0\.0\.1, idle since [-0-9: ]+: touches it, ignored\n {4}SELECT \* FROM held WHERE note = \?/,
  );
  t.notMatch(text, /secret/);

  const silent = await audited(t, 1, 'held', '--admin', 'http://127.0.0.1:1');
  t.match(silent.sessions[0]?.untold, /cannot be reached/);
  t.match(silent.notices, [/cannot be reached.*services are as last stored/]);
  t.ok(silent.sessions[0]?.sessions.every(({ doing }) => doing === 'touches' || doing === 'locks'));
  t.notMatch((await shop.audit('held', '--admin', 'http://127.0.0.1:1')).stdout, /sessions in monolith past pgfig/);
  await Promise.all([toucher, locker, idler, own].map((client) => client.end()));
});

t.test('what cannot be seen through is told', async (t) => {
  await shop.past(`CREATE FUNCTION dark(text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE $1; END $$`);
  const client = await shop.connect('dark-service');
  await until(async () => {
    await client.query("SELECT dark('SELECT 1')");
    await flush(shop.pgfig);
    return (await audited(t, 0, 'public.quiet')).unseen.length > 0;
  }, 'the catalog shows the function');
  await client.end();
  t.match(
    (await shop.audit('public.quiet')).stdout,
    /cannot be excluded.*\n {2}dark-service in monolith: \d+ x what dark\(\) touches is not known/,
  );
});

t.test('statistics that are reset begin a new baseline', async (t) => {
  await shop.past('SELECT pg_stat_reset()');
  await until(
    async () => {
      const { places } = await audited(t, 1, 'written', '--database', 'monolith');
      const counters = places[0]?.counters ?? {};
      return counters.restartedAt !== null && counters.baselineAt !== null;
    },
    'a baseline after the reset',
    60_000,
  );
  const { places, reasons } = await audited(t, 1, 'written');
  t.match(places[0]?.counters, { writes: 7 }, 'what was found stays');
  t.match(reasons, [/something writes/]);
  t.match((await shop.audit('written')).stdout, /its statistics were reset, or the server restarted/);
});

t.test('wrong use', async (t) => {
  const { code, stderr } = await shop.audit('nothing_here');
  t.equal(code, 2);
  t.match(stderr, /nothing_here is no domain, and no table of schema public, the rules or the matrix/);
  t.equal((await shop.audit('public.nothing_here')).code, 2);
  t.equal((await shop.audit('quiet', '--grace', '90')).code, 2);
  t.equal((await shop.audit('quiet', '--database', 'nowhere')).code, 2);
  t.equal((await shop.audit('quiet', '--admin', 'nowhere')).code, 2);
  await shop.past('CREATE SCHEMA more CREATE TABLE more.quiet (id int)');
  const client = await shop.connect('order-service');
  await client.query('SELECT * FROM more.quiet');
  await client.end();
  const several = await shop.audit('quiet');
  t.equal(several.code, 2);
  t.match(several.stderr, /quiet may be more\.quiet or public\.quiet/);
});

t.test('a database that does not answer leaves the answer open', async (t) => {
  await shop.orders.stop();
  const { verdict, places } = await audited(t, 3, 'public.quiet');
  t.equal(verdict, 'unknown');
  t.equal(places.length, 1);
  t.equal((await shop.audit('no_such_table')).code, 3);
  t.equal((await audited(t, 1, 'written')).verdict, 'used', 'what is known is known');
});
