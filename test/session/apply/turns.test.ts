import t from 'tap';
import { worstOf } from '../../../src/mirror/turn-outcome.js';
import { SyncSources } from '../../../src/operator/mirror/sync-source.js';
import { Pokes } from '../../../src/session/apply/pokes.js';
import { type HoldOutcome, Turns, type TurnWait } from '../../../src/session/apply/turns.js';
import { TrafficCounters } from '../../../src/session/counters.js';

const domain = (name: string, timeout = 60_000) => ({ name, source: 'monolith', sync: true, timeout });
const ORDERS = domain('orders');

/** Turns, and the requests that they have sent. */
function started(): { turns: Turns; sent: [number, ...string[]][]; counters: TrafficCounters } {
  const sent: [number, ...string[]][] = [];
  const counters = new TrafficCounters();
  const relays = {
    sync: (id: number, domains: readonly string[]) => sent.push([id, ...domains]),
    poke: () => undefined,
  };
  return { turns: new Turns(relays, (name) => counters.hold(name)), sent, counters };
}

/** How each wait has ended so far; null: it has not. */
async function outcomes(waits: readonly TurnWait[]): Promise<(HoldOutcome | null)[]> {
  await new Promise((resolve) => setImmediate(resolve));
  return Promise.all(waits.map(({ done }) => Promise.race([done, Promise.resolve(null)])));
}

/** When the event loop has come round. */
const round = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

t.test('nobody joins a request that has been sent: its turn may have begun before', async (t) => {
  const { turns, sent } = started();
  const waits = [turns.wait(ORDERS), turns.wait(ORDERS), turns.wait(ORDERS)];
  t.strictSame(sent, [[1, 'orders']], 'the first asks at once');
  await round();
  t.strictSame(sent.slice(1), [[2, 'orders']], 'what the event loop found at once asks together, and waits for nobody');
  turns.answered(1, 'applied');
  t.strictSame(await outcomes(waits), ['applied', null, null]);
  waits.push(turns.wait(ORDERS));
  await round();
  turns.answered(2, 'stalled');
  t.strictSame(await outcomes(waits), ['applied', 'stalled', 'stalled', null]);
  turns.answered(3, 'failed');
  t.strictSame(await outcomes(waits), ['applied', 'stalled', 'stalled', 'failed']);
  t.equal(sent.length, 3, 'nobody waits: nothing is asked');
});

t.test('few requests are under way at once: those who come meanwhile share the next one', async (t) => {
  const { turns, sent } = started();
  const waits: TurnWait[] = [];
  for (let i = 0; i < 10; i++) {
    waits.push(turns.wait(ORDERS));
    await round();
  }
  t.equal(sent.length, 4);
  turns.answered(3, 'applied');
  t.equal(sent.length, 5, 'the place of the one that was answered');
  turns.answered(5, 'applied');
  const open = [null, null, 'applied', null];
  t.strictSame(await outcomes(waits), [...open, ...Array<string>(6).fill('applied')]);
});

t.test('domains do not wait for each other', async (t) => {
  const { turns, sent } = started();
  const waits = [turns.wait(ORDERS), turns.wait(domain('parts'))];
  t.strictSame(sent, [
    [1, 'orders'],
    [2, 'parts'],
  ]);
  turns.answered(2, 'applied');
  t.strictSame(await outcomes(waits), [null, 'applied']);
  turns.answered(1, 'applied');
  t.strictSame(await outcomes(waits), ['applied', 'applied']);
});

t.test('answers that nobody knows of are passed over', async (t) => {
  const { turns, sent } = started();
  const waits = [turns.wait(ORDERS), turns.wait(ORDERS)];
  turns.answered(7, 'applied');
  t.strictSame(await outcomes(waits), [null, null]);
  turns.answered(1, 'applied');
  turns.answered(1, 'applied');
  t.strictSame(await outcomes(waits), ['applied', null], 'the second time it means nobody');
  turns.answered(2, 'applied');
  t.equal(sent.length, 2);
});

t.test('those who go are not asked for', async (t) => {
  const { turns, sent, counters } = started();
  const [first, second, third] = [turns.wait(ORDERS), turns.wait(ORDERS), turns.wait(ORDERS)];
  for (const wait of [second, third, third]) wait.cancel();
  turns.answered(1, 'applied');
  t.strictSame(await outcomes([first, second, third]), ['applied', 'canceled', 'canceled']);
  t.equal(sent.length, 1);
  t.strictSame(counters.hold('orders').outcomes, { applied: 1, stalled: 0, failed: 0, timeout: 0, canceled: 2 });
  t.equal(counters.hold('orders').seconds.count, 3);
  t.equal(counters.hold('orders').waiting, 0);
});

t.test('time that is over ends the wait, and not the request', async (t) => {
  const { turns, sent } = started();
  t.equal(await turns.wait(domain('orders', 1)).done, 'timeout');
  const late = turns.wait(ORDERS);
  t.equal(sent.length, 1, 'not at once: one is under way');
  turns.answered(1, 'applied');
  t.equal(sent.length, 2);
  t.strictSame(await outcomes([late]), [null]);
  turns.answered(2, 'applied');
  t.equal(await late.done, 'applied');
});

t.test('a new control process is asked again, for all who wait by then', async (t) => {
  const { turns, sent, counters } = started();
  const waits = [turns.wait(ORDERS), turns.wait(ORDERS), turns.wait(domain('parts'))];
  t.equal(counters.hold('orders').waiting, 2);
  turns.controlStarted();
  t.strictSame(sent, [
    [1, 'orders'],
    [2, 'parts'],
    [3, 'orders'],
    [4, 'parts'],
  ]);
  turns.answered(1, 'applied');
  t.strictSame(await outcomes(waits), [null, null, null], 'what the old process said last may have begun too early');
  turns.answered(3, 'applied');
  turns.answered(4, 'applied');
  t.strictSame(await outcomes(waits), ['applied', 'applied', 'applied']);
  turns.controlStarted();
  t.equal(sent.length, 4, 'nothing is outstanding');
  const left = turns.wait(ORDERS);
  left.cancel();
  turns.controlStarted();
  t.equal(sent.length, 5, 'nobody waits any more');
  turns.wait(ORDERS);
  t.equal(sent.length, 6, 'and the way is free');
});

t.test('pokes: the first at once, then what came meanwhile, together', async (t) => {
  const sent: (readonly string[])[] = [];
  const all = new Promise<void>((resolve) => {
    const pokes = new Pokes((domains) => {
      sent.push(domains);
      if (sent.length === 2) resolve();
    });
    for (const name of ['a', 'b', 'a', 'b', 'c', 'a']) pokes.poke(name);
  });
  t.strictSame(sent, [['a']]);
  // The timer alone keeps no process alive.
  const alive = setInterval(() => undefined, 1_000);
  await all;
  clearInterval(alive);
  t.strictSame(sent, [['a'], ['b', 'a', 'c']]);
});

t.test('the control process looks a relay up by its domain', async (t) => {
  const errors: string[] = [];
  const poked: string[] = [];
  const sources = new SyncSources((name) => errors.push(name));
  const source = (outcome: 'applied' | 'stalled') => ({
    turnAfterNow: async () => outcome,
    poke: (name: string) => void poked.push(name),
  });
  const remove = sources.add('orders', source('applied'));
  sources.add('parts', source('stalled'));
  sources.add('broken', { ...source('applied'), turnAfterNow: () => Promise.reject(new Error('no target')) });
  t.equal(await sources.turnsAfterNow(['orders']), 'applied');
  t.equal(await sources.turnsAfterNow(['orders', 'parts']), 'stalled');
  t.equal(await sources.turnsAfterNow(['parts', 'nobody']), 'failed');
  t.equal(await sources.turnsAfterNow(['broken']), 'failed');
  t.strictSame(errors, ['broken']);
  sources.poke(['orders', 'nobody']);
  t.strictSame(poked, ['orders']);
  const removeNext = sources.add('orders', source('stalled'));
  remove();
  t.equal(await sources.turnsAfterNow(['orders']), 'stalled', 'what has taken its place stays');
  removeNext();
  t.equal(await sources.turnsAfterNow(['orders']), 'failed');
  t.equal(worstOf([]), 'applied');
});
