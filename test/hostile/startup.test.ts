import { randomBytes } from 'node:crypto';
import t from 'tap';
import { onEachTarget } from '../clients/target.js';
import { serves } from './health.js';
import { cstring, describe, int32, query, RawClient, SSL_REQUEST, startup } from './raw-client.js';

/** A startup packet whose declared length is a lie or whose inside is broken. */
const packet = (length: number, body: Buffer): Buffer => Buffer.concat([int32(length), body]);
const VERSION = int32(196608);
const USER = Buffer.concat([cstring('user'), cstring('postgres')]);
const EXACT = (body: Buffer): Buffer => packet(body.length + 4, body);

/** What is sent, and the error that must come; null: it is enough that the connection is closed. */
const REFUSED: readonly [name: string, bytes: Buffer, error: RegExp | null][] = [
  ['a length of zero', packet(0, VERSION), null],
  ['a length that does not even hold the version', packet(7, Buffer.alloc(3)), null],
  ['a negative length', packet(-1, Buffer.alloc(100)), null],
  ['over 10,000 bytes', startup({ user: 'postgres', options: 'x'.repeat(10_100) }), null],
  ['a declared length of 2 GB', packet(0x7fffffff, Buffer.alloc(100)), null],
  ['Query before startup', query('SELECT 1'), null],
  ['a web browser', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), null],
  ['random bytes', Buffer.concat([Buffer.from([0xfe]), randomBytes(300)]), null],
  ['protocol 2.0', EXACT(Buffer.concat([int32(131072), Buffer.alloc(292)])), null],
  ['protocol 4.0', startup({ user: 'postgres' }, 4 << 16), /^E FATAL 0A000 /],
  ['no user', startup({ database: 'postgres' }), /^E FATAL 28000 /],
  ['an empty user', startup({ user: '' }), /^E FATAL 28000 /],
  ['no terminator', EXACT(Buffer.concat([VERSION, USER])), /^E FATAL 08P01 /],
  ['a name without a value', EXACT(Buffer.concat([VERSION, USER, Buffer.from('options')])), /^E FATAL 08P01 /],
  ['bytes after the terminator', EXACT(Buffer.concat([VERSION, USER, Buffer.from('\0xyz')])), /^E FATAL 08P01 /],
];

t.test('hostile startup', (t) =>
  onEachTarget(t, async (t, target) => {
    for (const [name, bytes, error] of REFUSED) {
      await t.test(name, async (t) => {
        const client = await RawClient.connect(target);
        client.send(bytes);
        const answer = (await client.untilClosed()).map(describe);
        t.notOk(
          answer.some((line) => line.startsWith('R')),
          'does not get in',
        );
        if (error !== null) t.match(answer.join('\n'), error);
        await serves(t, target);
      });
    }

    await t.test('bytes after SSLRequest in the same read are no startup packet', async (t) => {
      const client = await RawClient.connect(target);
      client.send(SSL_REQUEST, startup({ user: 'postgres', database: target.dbname }), query('SELECT 1'));
      const first = await client.byte();
      const rest = (await client.untilClosed()).map(describe);
      t.match(first, /^[NSE]?$/);
      t.notOk(
        rest.some((line) => line === 'R' || line === 'Z'),
        'the injected packet is not served',
      );
      await serves(t, target);
    });

    await t.test('endless SSLRequests', async (t) => {
      const client = await RawClient.connect(target);
      client.send(SSL_REQUEST);
      t.equal(await client.byte(), 'N');
      client.send(SSL_REQUEST);
      t.notOk((await client.untilClosed()).some((message) => message.type === 'R'));
    });

    await t.test('a truncated startup packet, then the end', async (t) => {
      const whole = startup({ user: 'postgres', database: target.dbname });
      for (const cut of [0, 1, 3, 4, 7, 8, 9, whole.length - 1]) {
        const client = await RawClient.connect(target);
        client.socket.end(whole.subarray(0, cut));
        t.same(
          (await client.untilClosed()).filter((m) => m.type === 'R'),
          [],
          `cut at ${cut}`,
        );
      }
      await serves(t, target);
    });

    await t.test('a cancel request of a wrong length', async (t) => {
      for (const size of [8, 12, 15]) {
        const client = await RawClient.connect(target);
        client.send(packet(size, Buffer.concat([int32(80877102), Buffer.alloc(size - 8)])));
        t.same(
          (await client.untilClosed()).filter((m) => m.type === 'R'),
          [],
        );
      }
      await serves(t, target);
    });

    await t.test('slow drip: one byte at a time', async (t) => {
      const client = await RawClient.connect(target);
      const bytes = Buffer.concat([startup({ user: 'postgres', database: target.dbname })]);
      for (const byte of bytes) await drip(client, byte);
      await client.untilReady();
      for (const byte of query('SELECT count(*) FROM orders')) await drip(client, byte);
      const messages = await client.untilReady();
      t.same(
        messages.map((message) => message.type),
        ['T', 'D', 'C', 'Z'],
      );
      client.vanish();
    });
  }),
);

/** With noDelay each write is a segment of its own, once the loop has gone round. */
async function drip(client: RawClient, byte: number): Promise<void> {
  await new Promise<void>((resolve) => client.socket.write(Buffer.from([byte]), () => resolve()));
}
