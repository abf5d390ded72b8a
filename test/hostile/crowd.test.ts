import t from 'tap';
import { until } from '../clients/conditions.js';
import { onEachTarget, type Target } from '../clients/target.js';
import { MB, mb, memoryIsBack, residentMemory, serves } from './health.js';
import { describe, int32, RawClient, SSL_REQUEST, startup } from './raw-client.js';

const HALF_OPEN = 3000;
const TIMEOUT_SECONDS = 3;
const OPTIONS = {
  config: { limits: { authTimeout: `${TIMEOUT_SECONDS}s`, clients: 10_000 } },
  settings: { authentication_timeout: `${TIMEOUT_SECONDS}s` },
};

t.test('clients that come and do not log in', (t) =>
  onEachTarget(
    t,
    async (t, target) => {
      for (const [name, bytes] of [
        ['says nothing', Buffer.alloc(0)],
        ['sends half a startup packet', startup({ user: 'postgres' }).subarray(0, 9)],
        ['asks for TLS and says no more', SSL_REQUEST],
      ] as const) {
        await t.test(`who ${name} is closed after the authentication timeout`, async (t) => {
          const client = await RawClient.connect(target);
          const began = Date.now();
          client.send(bytes);
          if (bytes === SSL_REQUEST) t.equal(await client.byte(), 'N');
          const answer = (await client.untilClosed()).map(describe);
          const seconds = (Date.now() - began) / 1000;
          t.notOk(answer.some((line) => line.startsWith('R')));
          t.ok(seconds > TIMEOUT_SECONDS - 1.5 && seconds < TIMEOUT_SECONDS + 8, `closed after ${seconds} s`);
        });
      }

      await t.test('who has logged in stays past the authentication timeout', async (t) => {
        const client = await RawClient.login(target);
        const quiet = await RawClient.connect(target);
        // Connected later, so that its end means that the time of the first is over too.
        await quiet.untilClosed();
        t.same(await client.rows('SELECT count(*) FROM orders'), ['1000']);
        client.vanish();
      });

      // Bare Postgres would start a process for each of them.
      const skip = target.name === 'bare' && 'only for the proxy';
      await t.test(`${HALF_OPEN} half-open connections`, { skip }, (t) => halfOpen(t, target));
    },
    OPTIONS,
  ),
);

async function halfOpen(t: Parameters<typeof serves>[0], target: Target): Promise<void> {
  const before = residentMemory(target);
  const kinds = [Buffer.alloc(0), int32(60), startup({ user: 'postgres' }).subarray(0, 12), SSL_REQUEST];
  const crowd: RawClient[] = [];
  for (let count = 0; count < HALF_OPEN; count += 100) {
    const some = await Promise.all(Array.from({ length: 100 }, () => RawClient.connect(target)));
    for (const [index, client] of some.entries()) client.send(kinds[index % kinds.length] ?? Buffer.alloc(0));
    crowd.push(...some);
  }
  const grown = residentMemory(target) - before;
  t.ok(grown < 150 * MB, `${HALF_OPEN} half-open connections take ${mb(grown)}`);
  await serves(t, target);
  // Nobody reads these sockets unless told, so that an end is only seen once they flow.
  let closed = 0;
  for (const { socket } of crowd) socket.once('close', () => closed++).resume();
  await until(`the end of all, not ${closed}`, () => closed === HALF_OPEN, 30_000);
  await serves(t, target);
  await memoryIsBack(t, target, before, 60 * MB);
}
