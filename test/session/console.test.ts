import pg from 'pg';
import t from 'tap';
import {
  bind,
  closeStatement,
  describePortal,
  describeStatement,
  execute,
  flush,
  parse,
  sync,
  terminate,
} from '../../src/wire/frontend-messages.js';
import { errorFields, frame, int16, int32, type Message, query, RawClient, startup } from '../hostile/raw-client.js';
import { startPgfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';

const server = await startPostgres();
await server.query('CREATE DATABASE shop');
const databases = { monolith: server.url('shop') };
const rules = { orders: { database: 'monolith', tables: ['public.orders'], phase: 'monolith' } };
const pgfig = await startPgfig({ databases, rules, config: { limits: { clients: 6 } } });
const target = { host: pgfig.host, port: pgfig.port, dbname: 'pgfig' } as never;

const login = (parameters: Record<string, string> = {}): Promise<RawClient> => RawClient.login(target, parameters);
const types = (messages: readonly Message[]): string => messages.map(({ type }) => type).join('');
const codes = (messages: readonly Message[]): string[] =>
  messages.filter(({ type }) => type === 'E').map((message) => errorFields(message).C ?? '');

/** Sends, and gives the letters of the answer up to ReadyForQuery. */
async function letters(client: RawClient, ...parts: Buffer[]): Promise<string> {
  client.send(...parts);
  return types(await client.untilReady());
}

t.test('the welcome is that of a server', async (t) => {
  const client = await RawClient.connect({ host: pgfig.host, port: pgfig.port });
  client.send(startup({ user: 'ann', database: 'pgfig', application_name: 'me' }));
  const messages = await client.untilReady();
  t.equal(types(messages).replace(/S+/, 'S'), 'RSKZ');
  const parameters = messages.filter(({ type }) => type === 'S').map(({ body }) => body.toString().split('\0'));
  t.match(Object.fromEntries(parameters), {
    server_version: /^\d+\.\d+ \(pgfig [\d.]+\)$/,
    client_encoding: 'UTF8',
    application_name: 'me',
    session_authorization: 'ann',
    TimeZone: 'UTC',
  });
  t.ok(client.key.pid > 2 ** 22);
  client.vanish();
});

t.test('simple queries', async (t) => {
  const client = await login();
  t.equal(await letters(client, query('SHOW VERSION')), 'TDCZ');
  t.equal(await letters(client, query('')), 'IZ');
  t.equal(await letters(client, query(' ; -- nothing')), 'IZ');
  t.equal(await letters(client, query('show version; RELOAD; show version')), 'TDCNCTDCZ');
  t.equal(await letters(client, query('SHOW VERSION; WHAT')), 'EZ', 'a text with a fault does nothing at all');
  t.equal(await letters(client, query('SHOW VERSION'), query('NO'), query('SHOW VERSION')), 'TDCZ', 'in order');
  t.equal(types(await client.untilReady()), 'EZ');
  t.equal(types(await client.untilReady()), 'TDCZ');
  t.equal(await letters(client, frame('F', Buffer.alloc(10))), 'EZ', 'no function calls');
  t.equal(await letters(client, frame('d', Buffer.from('x')), frame('c'), query('SHOW VERSION')), 'TDCZ');
  client.vanish();
});

t.test('the extended protocol', async (t) => {
  const client = await login();
  const show = parse('', 'SHOW VERSION');
  const describeAll = [describeStatement(''), bind('', ''), describePortal(''), execute('')];
  t.equal(await letters(client, show, ...describeAll, sync), '1tT2TDCZ');
  t.equal(
    await letters(client, parse('r', 'RELOAD'), describeStatement('r'), bind('', 'r'), execute(''), sync),
    '1tn2NCZ',
  );
  t.equal(await letters(client, parse('', ''), ...describeAll, sync), '1tn2nIZ', 'an empty text');
  t.equal(await letters(client, bind('', 'r'), execute(''), closeStatement('r'), bind('', 'r'), sync), '2NC3EZ');
  t.equal(await letters(client, execute(''), sync), 'EZ', 'Sync ends portals');
  client.send(parse('s', 'SHOW TABLES'), bind('p', 's'), execute('p', 1), flush);
  t.equal(types([await message(client), await message(client), await message(client), await message(client)]), '12Ds');
  t.equal(await letters(client, execute('p', 1), execute('p', 1), execute('p'), sync), 'DsCCZ', 'rows in pieces');
  const errors = async (...parts: Buffer[]): Promise<string[]> => {
    client.send(...parts, parse('', 'SHOW VERSION'), execute('nothing'), sync);
    return codes(await client.untilReady());
  };
  t.same(await errors(parse('', 'SELECT 1')), ['42601'], 'and all is dropped until Sync');
  t.same(await errors(parse('', 'SHOW VERSION; SHOW RULES')), ['42601']);
  t.same(await errors(parse('s', 'SHOW VERSION')), ['42P05']);
  t.same(await errors(bind('', 'unknown')), ['26000']);
  t.same(await errors(bind('p', 's'), bind('p', 's')), ['42P03']);
  t.same(await errors(describePortal('unknown')), ['34000']);
  t.same(await errors(frame('B', Buffer.from('\0s\0'))), ['08P01']);
  const withParameter = Buffer.concat([Buffer.from('\0s\0'), int16(0), int16(1), int32(1), Buffer.from('x'), int16(0)]);
  t.same(await errors(frame('B', withParameter)), ['08P01']);
  const formats = Buffer.concat([Buffer.from('\0s\0'), int16(0), int16(0), int16(2), int16(0), int16(0)]);
  t.same(await errors(frame('B', formats)), ['08P01'], 'two formats for six columns');
  t.equal(await letters(client, query('SHOW VERSION')), 'TDCZ', 'it goes on');
  client.vanish();
});

async function message(client: RawClient): Promise<Message> {
  const next = await client.message();
  if (next === null) throw new Error('closed');
  return next;
}

t.test('values in binary are those of the text', async (t) => {
  const client = await login();
  const values = async (format: number): Promise<(Buffer | null)[]> => {
    const names = Buffer.concat([Buffer.from('\0\0'), int16(0), int16(0), int16(1), int16(format)]);
    client.send(parse('', 'SHOW CLIENTS'), frame('B', names), execute(''), sync);
    const row = (await client.untilReady()).find(({ type }) => type === 'D')?.body ?? Buffer.alloc(2);
    const found: (Buffer | null)[] = [];
    for (let at = 2, i = 0; i < row.readInt16BE(0); i++) {
      const length = row.readInt32BE(at);
      at += 4;
      found.push(length < 0 ? null : row.subarray(at, at + length));
      at += Math.max(0, length);
    }
    return found;
  };
  const [text, binary] = [await values(0), await values(1)];
  t.equal(text.length, 10);
  t.same(text.slice(0, 4), binary.slice(0, 4));
  t.same(text[4]?.toString(), 'f');
  t.same(binary[4], Buffer.from([0]));
  t.equal(binary[8]?.readInt32BE(0), Number(text[8]?.toString()));
  const since = new Date(String(text[9])).getTime();
  t.ok(Math.abs(since - Date.now()) < 60_000);
  t.equal(Number(binary[9]?.readBigInt64BE(0)) / 1000 + Date.UTC(2000, 0, 1), since);
  client.vanish();
});

t.test('byte by byte, and all at once with the startup packet', async (t) => {
  const client = await login();
  for (const byte of Buffer.concat([parse('', 'SHOW VERSION'), bind('', ''), execute(''), sync])) {
    client.send(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(types(await client.untilReady()), '12DCZ');
  client.vanish();
  const eager = await RawClient.connect({ host: pgfig.host, port: pgfig.port });
  eager.send(startup({ user: 'ann', database: 'pgfig' }), query('SHOW VERSION'), terminate);
  t.match(types(await eager.untilClosed()), /^RS+KZTDCZ$/);
});

t.test('what is no message ends the session, and a text without end does too', async (t) => {
  for (const bytes of [frame('?'), frame('Q', Buffer.alloc(0), 3), frame('Q', Buffer.alloc(0), 1_000_000_000)]) {
    const client = await login();
    client.send(bytes);
    t.same(codes(await client.untilClosed()), ['08P01']);
  }
});

t.test('a cancel request of nothing does nothing', async (t) => {
  const client = await login();
  const cancel = await RawClient.connect({ host: pgfig.host, port: pgfig.port });
  cancel.send(Buffer.concat([int32(16), int32(80877102), int32(client.key.pid), int32(client.key.secret)]));
  t.same(await cancel.untilClosed(), []);
  t.equal(await letters(client, query('SHOW VERSION')), 'TDCZ');
  client.vanish();
});

t.test('a client may go at any time, and takes nothing with it', async (t) => {
  for (let i = 0; i < 20; i++) {
    const client = await login();
    client.send(...Array.from({ length: 50 }, () => query('SHOW RULES; SHOW CLIENTS; RELOAD')));
    if (i % 2 === 0) await client.message();
    if (i % 3 === 0) client.vanish();
    else client.socket.destroy();
  }
  await pgfig.until(async () => {
    const client = await login();
    const users = await client.rows('SHOW CLIENTS');
    client.vanish();
    return users.length === 1;
  }, 'only the asking session left');
  t.pass('all gone');
});

t.test('a client that does not read is waited for, and nobody else is', async (t) => {
  const lazy = await login();
  lazy.socket.pause();
  for (let i = 0; i < 300; i++) lazy.send(query('SHOW CONFIG; SHOW RULES; SHOW HELP; SHOW TABLES'));
  const client = await login();
  t.equal(await letters(client, query('SHOW VERSION')), 'TDCZ');
  for (let i = 0; i < 300; i++) t.notOk(codes(await lazy.untilReady()).length, `answer ${i}`);
  client.vanish();
  lazy.vanish();
});

t.test('when all places are taken, the console has some', async (t) => {
  const services: pg.Client[] = [];
  const open = async (dbname: string): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: pgfig.url(dbname) });
    client.on('error', () => undefined);
    await client.connect();
    services.push(client);
    return client;
  };
  await pgfig.until(async () => {
    await open('shop').catch(() => null);
    return services.length === 6;
  }, 'six sessions');
  await t.rejects(open('shop'), { code: '53300' });
  const console = await open('pgfig');
  t.equal((await console.query('SHOW CLIENTS')).rows.length, 7);
  await t.rejects(open('shop'), { code: '53300' });
  for (let i = 1; i < 8; i++) await open('pgfig');
  await t.rejects(open('pgfig'), { code: '53300' }, 'but not without end');
  await Promise.all(services.map((client) => client.end()));
});

t.test('who may use it', async (t) => {
  const closed = await startPgfig({ databases, rules, config: { admin: { users: ['ann'] } } });
  const as = (user: string, database = 'pgfig'): pg.Client => new pg.Client({ ...own(closed.port), user, database });
  const ann = as('ann');
  await ann.connect();
  t.equal((await ann.query('SHOW RULES')).rows.length, 1);
  await t.rejects(as('bob').connect(), {
    severity: 'FATAL',
    code: '28000',
    message: 'user "bob" may not use the console',
    hint: /admin\.users/,
  });
  const metrics = await fetch(`http://127.0.0.1:${closed.adminPort}/metrics`).then((answer) => answer.text());
  t.match(metrics, /^pgfig_auth_failures_total 1$/m);
  await ann.end();
  await closed.stop();
});

t.test('each logs in as everywhere', async (t) => {
  const users = t.testdir({ 'users.txt': '"ann" "secret"\n"bob" "secret"\n' });
  const config = { auth: { method: 'scram-sha-256', users: `${users}/users.txt` }, admin: { users: ['ann'] } };
  const strict = await startPgfig({ databases, rules, config });
  const as = (user: string, password: string): pg.Client =>
    new pg.Client({ ...own(strict.port), user, password, database: 'pgfig' });
  await t.rejects(as('ann', 'wrong').connect(), { code: '28P01' });
  await t.rejects(as('bob', 'secret').connect(), { code: '28000', message: /console/ });
  const ann = as('ann', 'secret');
  await ann.connect();
  t.equal((await ann.query('SHOW RULES')).rows.length, 1);
  await ann.end();
  await strict.stop();
});

const own = (port: number): pg.ClientConfig => ({ host: '127.0.0.1', port });

t.test('a default database of that name is routed, and the console hidden', async (t) => {
  await server.query('CREATE DATABASE pgfig');
  const hidden = await startPgfig({ databases: { monolith: server.url('pgfig') } });
  const client = new pg.Client({ connectionString: hidden.url('pgfig') });
  await client.connect();
  t.same((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  await t.rejects(client.query('SHOW RULES'), { code: '42704' });
  await client.end();
  t.match(hidden.logs(), /the console cannot be reached/);
  await hidden.stop();
});

t.test('a drain ends sessions of the console, with the word for it', async (t) => {
  const draining = await startPgfig({ databases, rules });
  const idle = await RawClient.login({ host: draining.host, port: draining.port, dbname: 'pgfig' } as never);
  const busy = await RawClient.login({ host: draining.host, port: draining.port, dbname: 'pgfig' } as never);
  busy.send(query('RELOAD; SHOW CLIENTS'));
  const stopped = draining.stop();
  const [first, second] = await Promise.all([idle.untilClosed(), busy.untilClosed()]);
  t.same(codes(first), ['57P01']);
  t.match(types(second), /^(N*CTD+CZ)?E$/, 'an answer that was begun is ended before');
  t.same(codes(second), ['57P01']);
  t.equal(await stopped, 0);
});
