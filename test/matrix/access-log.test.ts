import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { bind, execute, parse, sync } from '../../src/wire/frontend-messages.js';
import { cstring, frame, query, RawClient } from '../hostile/raw-client.js';
import { startShop } from '../session/two-databases.js';

interface Line {
  readonly [field: string]: unknown;
}

const shop = await startShop({
  config: {
    accessLog: { file: { path: 'access.jsonl' }, services: { healthcheck: '0%' } },
    services: [{ name: 'order-service', applicationName: '^orders-[0-9]+$' }],
  },
});

/** Plays messages for a service, each answered before the next. */
async function play(applicationName: string, sends: readonly (readonly Buffer[])[]): Promise<void> {
  const { host, port } = shop.pgfig;
  const target = { host, port, dbname: 'shop' } as Parameters<typeof RawClient.login>[0];
  const client = await RawClient.login(target, { application_name: applicationName });
  for (const messages of sends) {
    client.send(...messages);
    for (const message of messages) if (/^[QS]/.test(message.toString('latin1', 0, 1))) await client.untilReady();
  }
  client.vanish();
}

t.test('one line for each statement, whatever becomes of it, and no data', async (t) => {
  await play('orders-17', [
    [query("SELECT * FROM users WHERE name <> 'secret'")],
    [parse('', 'INSERT INTO orders VALUES ($1, 1, $2)'), bind('', '', ['77', 'secret']), execute(), sync],
    [parse('', 'SELECT nothing FROM users'), bind('', ''), execute(), sync],
    [parse('', 'SELECT id FROM orders WHERE id = $1'), bind('', '', ['secret']), execute(), sync],
    [query("SELECT * FROM users JOIN orders ON note = 'secret'")],
    [query('SELECT 1; SELECT 1 / 0; SELECT 2')],
    [query('BEGIN')],
    [query("SET work_mem = '8MB'")],
    [query('COMMIT')],
    [query('COPY users FROM STDIN'), frame('d', Buffer.from('3\tsecret\n')), frame('c')],
    [parse('s', 'SELECT * FROM users ORDER BY id'), bind('p', 's'), execute('p', 2), execute('p', 5), sync],
    [query("SELCT 'secret'")],
    [query("SELECT set_config('my.secret', 'secret', false)")],
    [frame('Q', Buffer.concat([cstring('')]))],
  ]);
  await play('healthcheck', [
    [query('SELECT 1')],
    [query("SELECT repeat('x', 100000)")],
    // From here on it is another service, whose statement is not charged with what went before.
    [query("SET application_name = 'reporting'")],
    [query('SELECT 1')],
  ]);
  t.equal(await shop.pgfig.stop(), 0);
  const text = await readFile(path.join(shop.pgfig.folder, 'access.1.jsonl'), 'utf8');
  t.notMatch(text, /secret/);
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const seen = lines.map((line) => {
    const tables = [...(line.reads as string[]), ...(line.writes as string[]).map((table) => `${table}!`)];
    return `${line.kind} ${line.database || '-'} ${tables.join()} ${line.rows} ${line.error ?? 'ok'}`;
  });
  t.same(seen, [
    'select monolith public.users 2 ok',
    'insert orders_db public.orders! 1 ok',
    'select monolith public.users 0 42703',
    'select orders_db public.orders 0 22P02',
    'select - public.users,public.orders 0 0A000',
    'select orders_db  1 ok',
    'select orders_db  0 22012',
    'set orders_db  0 ok',
    'commit orders_db  0 ok',
    'copy-from monolith public.users! 1 ok',
    'select monolith public.users 2 ok',
    'select monolith public.users 1 ok',
    'unparsable monolith  0 42601',
    'select monolith  1 ok',
    'select monolith  1 ok',
  ]);
  const small = lines.pop();
  t.match(small, { service: 'reporting', bytes: 34 + 12 + 14 }, 'RowDescription, DataRow, CommandComplete');
  t.ok(lines.every(({ service, user }) => service === 'order-service' && user === 'postgres'));
  for (const { time, duration_ms: ms, fingerprint, bytes, error } of lines) {
    t.ok(Math.abs(Date.now() - Date.parse(String(time))) < 60_000, 'when');
    t.ok(typeof ms === 'number' && ms >= 0 && ms < 60_000, 'how long');
    t.match(fingerprint, /^[0-9a-f]{16}$/);
    t.ok(error === '0A000' || Number(bytes) > 0, 'what was sent back');
  }
  t.match(lines[1], { domain: 'orders', reason: /public.orders is in orders_db/ });
});
