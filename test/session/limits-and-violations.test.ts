import net from 'node:net';
import t from 'tap';
import {
  bind,
  closeStatement,
  describePortal,
  describeStatement,
  execute,
  flush,
  parse,
  query,
  sync,
} from '../../src/wire/frontend-messages.js';
import { errorFields, frame, type Message, RawClient, startup } from '../hostile/raw-client.js';
import { connect, failure, startShop, until, value } from './two-databases.js';

const shop = await startShop({
  config: { limits: { clients: 8, clientsPerUser: 6 } },
  inMonolith: 'CREATE ROLE service LOGIN; GRANT SELECT ON users TO service;',
  inOrders: 'CREATE ROLE service LOGIN; GRANT SELECT ON orders TO service;',
});
const target = { host: shop.pgfig.host, port: shop.pgfig.port, dbname: 'shop' };
const login = (parameters: Record<string, string> = {}): Promise<RawClient> =>
  RawClient.login(target as never, parameters);
const types = (messages: readonly Message[]): string => messages.map(({ type }) => type).join('');
const codes = (messages: readonly Message[]): string[] =>
  messages.filter(({ type }) => type === 'E').map((message) => errorFields(message).C ?? '');

t.test('too many clients, of one user and in all', async (t) => {
  const url = new URL(shop.pgfig.url());
  const asUser = (user: string): Promise<Awaited<ReturnType<typeof connect>>> => {
    const own = new URL(url);
    own.username = user;
    return connect(own.href);
  };
  const mine = await Promise.all(Array.from({ length: 6 }, () => asUser('postgres')));
  t.match(await failure(asUser('postgres')), { code: '53300', severity: 'FATAL', message: /postgres/ });
  const others = await Promise.all([asUser('service'), asUser('service')]);
  t.match(await failure(asUser('service')), { code: '53300', severity: 'FATAL' }, 'in all');
  t.equal(await value(others[0] as never, 'SELECT count(*)::int FROM orders'), 2, 'those inside go on');
  await mine[0]?.end();
  await until(async () => {
    const client = await asUser('postgres').catch(() => null);
    await client?.end();
    return client !== null;
  }, 'room again');
  await Promise.all([...mine, ...others].map((client) => client.end()));
});

t.test('a login that fails or goes away leaves no place taken', async () => {
  for (let i = 0; i < 12; i++) {
    const socket = net.connect({ host: target.host, port: target.port });
    await new Promise((resolve) => socket.once('connect', resolve));
    if (i % 3 === 0) socket.write(startup({ user: 'postgres', database: 'no_such_database' }));
    if (i % 3 === 1) socket.write(startup({ user: 'postgres', database: 'shop' }));
    socket.on('error', () => undefined);
    if (i % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
  }
  await until(async () => {
    const clients = await Promise.all(Array.from({ length: 6 }, () => connect(shop.pgfig.url()).catch(() => null)));
    await Promise.all(clients.map((client) => client?.end()));
    return clients.every((client) => client !== null);
  }, 'all six places');
});

t.test('the unnamed statement survives what pgfig does between', async (t) => {
  const client = await login();
  client.send(parse('', 'SELECT name FROM users WHERE id = $1'), sync);
  t.equal(types(await client.untilReady()), '1Z');
  client.send(parse('begin', 'BEGIN'), bind('', 'begin', []), execute('', 0), sync);
  t.equal(types(await client.untilReady()), '12CZ');
  client.send(bind('', '', ['1']), execute('', 0), sync);
  t.equal(types(await client.untilReady()), '2DCZ', 'BEGIN was put in front of it');
  client.send(parse('o', 'SELECT note FROM orders WHERE id = $1'), bind('', 'o', ['1']), execute('', 0), sync);
  t.equal(types(await client.untilReady()), '12DCZ', 'a second database has joined');
  client.send(bind('', '', ['2']), execute('', 0), sync);
  t.equal(types(await client.untilReady()), '2DCZ');
  client.send(parse('set', "SELECT set_config('app.x', 'y', false)"), bind('', 'set', []), execute('', 0), sync);
  t.equal(types(await client.untilReady()), '12DCZ');
  client.send(bind('', 'o', ['1']), execute('', 0), sync, bind('', '', ['2']), execute('', 0), sync);
  t.equal(types(await client.untilReady()), '2DCZ');
  t.equal(types(await client.untilReady()), '2DCZ');
  client.send(query('COMMIT'));
  t.equal(types(await client.untilReady()), 'CZ');
  client.vanish();
});

t.test('standard_conforming_strings off: literals are read as the server reads them', async (t) => {
  const client = await login({ options: '-c standard_conforming_strings=off' });
  t.strictSame(await client.rows("SELECT 'it''s' FROM orders WHERE id = 1"), ["it's"]);
  t.strictSame(await client.rows("SELECT 'it\\'s; SELECT 1 FROM orders --' FROM users WHERE id = 1"), [
    "it's; SELECT 1 FROM orders --",
  ]);
  t.strictSame(await client.rows("SELECT 'a\\\\' FROM users WHERE id = 1"), ['a\\']);
  await client.rows('SET standard_conforming_strings = on');
  t.strictSame(await client.rows("SELECT 'a\\' FROM users WHERE id = 1"), ['a\\']);
  t.strictSame(await client.rows("SELECT 'a\\' FROM orders WHERE id = 1"), ['a\\']);
  client.vanish();
});

t.test(
  'other encodings: text is read in the client’s, also where a byte looks like a quote or backslash',
  async (t) => {
    for (const [encoding, text] of [
      // The second bytes of these letters of SJIS are 0x5c, a backslash, and 0x7c.
      ['SJIS', Buffer.from([0x83, 0x5c, 0x83, 0x7c])],
      ['LATIN1', Buffer.from([0xe4, 0xdf])],
      ['EUC_JP', Buffer.from([0xa5, 0xbd])],
      ['BIG5', Buffer.from([0xa5, 0x5c])],
    ] as const) {
      const client = await login({ client_encoding: encoding });
      for (const table of ['users', 'orders']) {
        const sql = Buffer.concat([Buffer.from("SELECT '"), text, Buffer.from(`' FROM ${table} WHERE id = 1\0`)]);
        client.send(frame('Q', sql));
        const answer = await client.untilReady();
        t.strictSame(codes(answer), [], `${encoding}, ${table}`);
        const row = answer.find(({ type }) => type === 'D');
        t.strictSame(row?.body.subarray(6), text, `${encoding}, ${table}`);
        client.send(
          frame('P', Buffer.concat([Buffer.from('\0'), sql, Buffer.from([0, 0])])),
          bind('', '', []),
          execute('', 0),
          sync,
        );
        t.equal(types(await client.untilReady()), '12DCZ', `${encoding}, ${table}, extended`);
      }
      client.vanish();
    }
  },
);

t.test('a client_encoding that there is none of', async (t) => {
  const client = await RawClient.connect(target);
  client.send(startup({ user: 'postgres', database: 'shop', client_encoding: 'NONSENSE' }));
  t.strictSame(codes(await client.untilClosed()), ['22023']);
});

t.test('an idle link’s FATAL is not shown; the next statement finds a new one', async (t) => {
  const client = await login();
  const [pid] = await client.rows('SELECT pg_backend_pid() FROM orders LIMIT 1');
  await client.rows('SELECT 1 FROM users');
  await shop.inOrders(`SELECT pg_terminate_backend(${pid})`);
  await until(
    async () => (await shop.inOrders(`SELECT 1 FROM pg_stat_activity WHERE pid = ${pid}`)).length === 0,
    'its end',
  );
  client.send(query('SELECT 1 FROM users LIMIT 1'));
  t.equal(types(await client.untilReady()), 'TDCZ');
  t.not((await client.rows('SELECT pg_backend_pid() FROM orders LIMIT 1'))[0], pid);
  client.vanish();
});

t.test('pipelines over two databases: order, errors, and what is skipped', async (t) => {
  const client = await login();
  const read = (table: string): Buffer[] => [
    parse('', `SELECT 1 FROM ${table} LIMIT 1`),
    bind('', '', []),
    execute('', 0),
  ];
  client.send(...read('users'), ...read('orders'), ...read('users'), sync);
  t.equal(types(await client.untilReady()), '12DC12DC12DCZ');
  client.send(...read('users'), ...read('no_such_table'), ...read('orders'), sync, ...read('orders'), sync);
  const [failed, next] = [await client.untilReady(), await client.untilReady()];
  t.strictSame([types(failed), codes(failed)], ['12DCEZ', ['42P01']]);
  t.equal(types(next), '12DCZ');
  const insert = [parse('', "INSERT INTO orders VALUES (70, 1, 'x')"), bind('', '', []), execute('', 0)];
  client.send(...insert, ...read('users'), parse('', 'SELECT 1/0 FROM users'), bind('', '', []), execute('', 0), sync);
  t.strictSame(codes(await client.untilReady()), ['22012']);
  t.strictSame(
    await shop.inOrders('SELECT 1 FROM orders WHERE id = 70'),
    [],
    'the write of the same pipeline is undone',
  );
  const update = [parse('', 'UPDATE users SET name = name'), bind('', '', []), execute('', 0)];
  client.send(...insert, ...update, sync);
  t.strictSame(codes(await client.untilReady()), ['0A000']);
  t.strictSame(await shop.inOrders('SELECT 1 FROM orders WHERE id = 70'), []);
  client.send(...insert, ...read('users'), sync);
  t.equal(types(await client.untilReady()), '12C12DCZ');
  t.equal((await shop.inOrders('DELETE FROM orders WHERE id = 70 RETURNING 1')).length, 1);
  client.vanish();
});

t.test('messages that end neither with Sync nor Flush, then a Query for the other database', async (t) => {
  const client = await login();
  client.send(parse('left', 'SELECT 1 FROM orders'), sync);
  await client.untilReady();
  client.send(closeStatement('left'), query('SELECT 1 FROM users LIMIT 1'));
  t.equal(types(await client.untilReady()), '3TDCZ');
  client.send(
    parse('open', 'SELECT 1 FROM orders LIMIT 1'),
    bind('', 'open', []),
    execute('', 0),
    query('SELECT 1 FROM users LIMIT 1'),
  );
  t.equal(types(await client.untilReady()), '12DCTDCZ');
  client.send(parse('bad', 'SELECT nonsense FROM orders'), query('SELECT 1 FROM users LIMIT 1'), sync);
  const answer = await client.untilReady();
  t.strictSame([types(answer), codes(answer)], ['EZ', ['42703']], 'after an error a Query is skipped as well');
  t.strictSame(await client.rows('SELECT 1 FROM users LIMIT 1'), ['1']);
  client.vanish();
});

t.test('Flush answers at once, on the link that was asked', async (t) => {
  const client = await login();
  client.send(parse('', 'SELECT note FROM orders WHERE id = 1'), describeStatement(''), flush);
  const seen: string[] = [];
  while (seen.length < 3) seen.push((await client.message())?.type ?? '?');
  t.equal(seen.join(''), '1tT');
  client.send(bind('', '', []), describePortal(''), execute('', 0), flush);
  while (seen.length < 7) seen.push((await client.message())?.type ?? '?');
  t.equal(seen.slice(3).join(''), '2TDC');
  client.send(sync);
  t.equal(types(await client.untilReady()), 'Z');
  client.vanish();
});

t.test('violations get 08P01, and the proxy goes on', async (t) => {
  const cases: Record<string, Buffer> = {
    'an unknown message': frame('z'),
    'a password after login': frame('p', Buffer.from('x\0')),
    'a length of 3': frame('Q', Buffer.alloc(0), 3),
    'a negative length': frame('Q', Buffer.alloc(0), -1),
    'a Sync of 20 kB': frame('S', Buffer.alloc(20_000)),
    'a Query without its end': frame('Q', Buffer.from('SELECT 1 FROM orders')),
    'a Parse without its end': frame('P', Buffer.from('name')),
    'a Bind that is cut': frame('B', Buffer.from('\0\0\0')),
    'a Describe of nothing': frame('D', Buffer.from('X\0')),
    'an Execute without a limit': frame('E', Buffer.from('\0')),
    'a Close of nothing': frame('C', Buffer.from('X\0')),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    const client = await login();
    client.send(bytes, sync);
    const answers: Message[] = [];
    for (;;) {
      const message = await client.message();
      if (message === null) break;
      answers.push(message);
      if (message.type === 'Z' || (message.type === 'E' && errorFields(message).S === 'FATAL')) break;
    }
    t.match(codes(answers).join(), /^(08P01|26000)$/, name);
    client.vanish();
  }
  const client = await login();
  t.strictSame(await client.rows('SELECT count(*) FROM orders'), ['2']);
  client.vanish();
});
