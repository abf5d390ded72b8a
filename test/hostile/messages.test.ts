import { randomBytes } from 'node:crypto';
import t from 'tap';
import { onEachTarget } from '../clients/target.js';
import { MB, memoryIsBack, residentMemory, serves } from './health.js';
import { cstring, describe, FLUSH, frame, int16, int32, query, RawClient, SYNC } from './raw-client.js';

const EMPTY = cstring('');
const parse = (sql: string, name = '') => frame('P', Buffer.concat([cstring(name), cstring(sql), int16(0)]));
const bind = (name = '', portal = '') =>
  frame('B', Buffer.concat([cstring(portal), cstring(name), int16(0), int16(0), int16(0)]));
const execute = (portal = '') => frame('E', Buffer.concat([cstring(portal), int32(0)]));

/** Broken in a way that the session survives: the answer up to ReadyForQuery, of everything but its texts. */
const SURVIVED: readonly [name: string, bytes: Buffer, answer: string][] = [
  ['Bind without Parse', Buffer.concat([bind(), SYNC]), 'E ERROR 26000, Z'],
  ['Bind of an unknown name', Buffer.concat([bind('nobody'), SYNC]), 'E ERROR 26000, Z'],
  ['Execute without Bind', Buffer.concat([execute('none'), SYNC]), 'E ERROR 34000, Z'],
  ['Describe of nothing', Buffer.concat([frame('D', cstring('Sx')), SYNC]), 'E ERROR 26000, Z'],
  ['Describe of no portal', Buffer.concat([frame('D', cstring('Px')), SYNC]), 'E ERROR 34000, Z'],
  ['Describe of neither', Buffer.concat([frame('D', cstring('Qx')), SYNC]), 'E ERROR 08P01, Z'],
  ['Close of neither', Buffer.concat([frame('C', cstring('Qx')), SYNC]), 'E ERROR 08P01, Z'],
  ['Close of what is not there', Buffer.concat([frame('C', cstring('Sx')), SYNC]), '3, Z'],
  ['Query without its end', frame('Q', Buffer.from('SELECT 1')), 'E ERROR 08P01, Z'],
  ['Query with bytes after its end', frame('Q', Buffer.from('SELECT 1\0zz')), 'E ERROR 08P01, Z'],
  ['an empty Query', frame('Q', EMPTY), 'I, Z'],
  ['a Query of nothing at all', frame('Q'), 'E ERROR 08P01, Z'],
  ['a truncated Parse', Buffer.concat([frame('P', cstring('a')), SYNC]), 'E ERROR 08P01, Z'],
  [
    'Parse that lies about its types',
    Buffer.concat([frame('P', Buffer.from('\0SELECT 1\0\x7f\xff', 'latin1')), SYNC]),
    'E ERROR 08P01, Z',
  ],
  [
    'Bind that lies about its values',
    Buffer.concat([parse('SELECT 1'), frame('B', Buffer.concat([EMPTY, EMPTY, int16(0), int16(9)])), SYNC]),
    '1, E ERROR 08P01, Z',
  ],
  [
    'Bind with a value longer than the message',
    Buffer.concat([
      parse('SELECT $1::text'),
      frame('B', Buffer.concat([EMPTY, EMPTY, int16(0), int16(1), int32(1_000_000), Buffer.from('x')])),
      SYNC,
    ]),
    '1, E ERROR 08P01, Z',
  ],
  [
    'Bind with the wrong number of values',
    Buffer.concat([parse('SELECT $1::text FROM orders'), bind(), SYNC]),
    '1, E ERROR 08P01, Z',
  ],
  ['two statements in one Parse', Buffer.concat([parse('SELECT 1; SELECT 2'), SYNC]), 'E ERROR 42601, Z'],
  [
    'what follows an error is skipped',
    Buffer.concat([bind('x'), parse('SELECT 1'), execute(), SYNC]),
    'E ERROR 26000, Z',
  ],
  ['a Query that follows an error is skipped', Buffer.concat([bind('x'), query('SELECT 1'), SYNC]), 'E ERROR 26000, Z'],
  ['Flush and Sync alone', Buffer.concat([FLUSH, FLUSH, SYNC]), 'Z'],
  ['CopyData outside of COPY', Buffer.concat([frame('d', Buffer.from('1\t2\n')), SYNC]), 'Z'],
  ['CopyDone outside of COPY', Buffer.concat([frame('c'), SYNC]), 'Z'],
  ['CopyFail outside of COPY', Buffer.concat([frame('f', cstring('why')), SYNC]), 'Z'],
  [
    'an unknown function',
    Buffer.concat([frame('F', Buffer.concat([int32(1), int16(0), int16(0), int16(0)]))]),
    'E ERROR 42883, Z',
  ],
];

/** Broken beyond repair: Postgres says FATAL 08P01, or closes without a word where the length cannot be true. */
const FATAL: readonly [name: string, bytes: Buffer][] = [
  ['an unknown message type', frame('z')],
  ['a message type of zero', frame('\0')],
  ['a server’s message', frame('T', int16(0))],
  ['a negative length', frame('Q', cstring('SELECT 1'), -5)],
  ['a length of three', frame('S', Buffer.alloc(0), 3)],
  ['a length of zero', frame('Q', Buffer.alloc(0), 0)],
  ['a length over the limit of a Query', frame('Q', Buffer.alloc(10), 0x7fffffff)],
  ['a length over the limit of a Sync', frame('S', Buffer.alloc(20_000))],
  ['garbage', Buffer.concat([Buffer.from([0xff]), randomBytes(2000)])],
];

const codes = (answer: string): string => answer.split(' ').slice(0, 3).join(' ');

t.test('hostile messages', (t) =>
  onEachTarget(t, async (t, target) => {
    await t.test('what the session survives', async (t) => {
      for (const [name, bytes, expected] of SURVIVED) {
        const client = await RawClient.login(target);
        client.send(bytes);
        const answer = (await client.untilReady()).map((message) => codes(describe(message)));
        t.equal(answer.join(', '), expected, name);
        t.same(await client.rows('SELECT count(*) FROM users'), ['100'], `${name}: goes on`);
        client.vanish();
      }
      await serves(t, target);
    });

    for (const [name, bytes] of FATAL) {
      await t.test(`${name} ends the session`, async (t) => {
        const client = await RawClient.login(target);
        client.send(bytes);
        const answer = (await client.untilClosed()).map(describe);
        if (target.name === 'pgfig' || answer.length > 0) t.match(answer.join('\n'), /^E FATAL 08P01 /);
        await serves(t, target);
      });
    }

    await t.test('Query while COPY IN waits for data', async (t) => {
      const client = await RawClient.login(target);
      client.send(query('COPY orders (user_id) FROM STDIN'));
      t.equal((await client.message())?.type, 'G');
      client.send(query('SELECT 1'));
      const answer = (await client.untilClosed()).map((message) => codes(describe(message)));
      t.same(answer, ['E ERROR 08P01', 'E FATAL 08P01']);
      t.same(await target.inOrders('SELECT count(*)::int AS n FROM orders'), [{ n: 1000 }]);
      await serves(t, target);
    });

    await t.test('a message cut off by the end of the connection does nothing', async (t) => {
      const whole = query("INSERT INTO orders (user_id, note) VALUES (1, 'cut off')");
      for (const cut of [1, 4, 5, 20, whole.length - 1]) {
        const client = await RawClient.login(target);
        client.socket.end(whole.subarray(0, cut));
        await client.untilClosed();
      }
      t.same(await target.inOrders("SELECT 1 FROM orders WHERE note = 'cut off'"), []);
      await serves(t, target);
    });

    await t.test('promises of a gigabyte cost nothing until they are kept', async (t) => {
      const before = residentMemory(target);
      const clients = await Promise.all(Array.from({ length: 50 }, () => RawClient.login(target)));
      for (const client of clients) client.send(frame('Q', Buffer.alloc(10_000, 'x'), 1_000_000_000));
      await serves(t, target);
      await memoryIsBack(t, target, before, 100 * MB);
      for (const client of clients) client.vanish();
      await serves(t, target);
    });

    await t.test('a Query without its closing NUL, whose text does not parse either', async (t) => {
      for (const body of [Buffer.from('no end'), Buffer.from(randomBytes(40).map((byte) => byte | 1))]) {
        const client = await RawClient.login(target);
        client.send(frame('Q', body), SYNC);
        client.socket.end();
        await client.untilClosed();
      }
      await serves(t, target);
    });

    await t.test('random messages of every type, again and again', async (t) => {
      for (let turn = 0; turn < 60; turn += 1) {
        const client = await RawClient.login(target);
        const bytes = Array.from({ length: 5 }, () =>
          frame(pick('QPBEDCSHFdcf'), randomBytes(Math.floor(Math.random() * 60))),
        );
        client.send(...bytes, SYNC);
        client.socket.end();
        await client.untilClosed();
      }
      await serves(t, target);
    });
  }),
);

const pick = (letters: string): string => letters.charAt(Math.floor(Math.random() * letters.length));
