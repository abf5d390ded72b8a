import t from 'tap';
import { Pulse, type PulseClock } from '../../src/operator/processes/pulse.js';

/** Time that passes when told. */
class FakeClock implements PulseClock {
  #now = 0;
  #due: { at: number; run: () => void } | null = null;

  now(): number {
    return this.#now;
  }

  later(ms: number, run: () => void): () => void {
    const due = { at: this.#now + ms, run };
    this.#due = due;
    return () => {
      if (this.#due === due) this.#due = null;
    };
  }

  /** All timers run in time. */
  pass(ms: number): void {
    for (const end = this.#now + ms; ; ) {
      if (this.#due === null || this.#due.at > end) {
        this.#now = end;
        return;
      }
      this.#now = this.#due.at;
      this.#fire();
    }
  }

  /** Nothing runs meanwhile; a timer that is due runs once on waking, as Node's do. */
  sleep(ms: number): void {
    this.#now += ms;
    if (this.#due !== null && this.#due.at <= this.#now) this.#fire();
  }

  #fire(): void {
    const run = this.#due?.run;
    this.#due = null;
    run?.();
  }
}

function start(answers: (ping: number) => boolean) {
  const clock = new FakeClock();
  const seen = { pings: 0, hung: 0 };
  const pulse: Pulse = new Pulse({
    patience: 5,
    ping: () => {
      seen.pings += 1;
      if (answers(seen.pings)) pulse.answered();
    },
    onHung: () => {
      seen.hung += 1;
    },
    clock,
  });
  return { clock, pulse, seen };
}

t.test('who answers is healthy', async (t) => {
  const { clock, seen } = start(() => true);
  clock.pass(100_000);
  t.strictSame(seen, { pings: 100, hung: 0 });
});

t.test('who answers now and then is healthy', async (t) => {
  const { clock, seen } = start((ping) => ping % 5 === 0);
  clock.pass(100_000);
  t.strictSame(seen, { pings: 100, hung: 0 });
});

t.test('who answers no ping has its time, and is told of once', async (t) => {
  const { clock, seen } = start(() => false);
  clock.pass(5_999);
  t.strictSame(seen, { pings: 5, hung: 0 }, 'the last ping has its second too');
  clock.pass(1);
  t.strictSame(seen, { pings: 5, hung: 1 });
  clock.pass(100_000);
  t.strictSame(seen, { pings: 5, hung: 1 });
});

t.test('who stops answering later is found out', async (t) => {
  const { clock, seen } = start((ping) => ping <= 10);
  clock.pass(15_000);
  t.equal(seen.hung, 0);
  clock.pass(1_000);
  t.equal(seen.hung, 1);
});

t.test('a pinger that was asleep counts from its waking', async (t) => {
  const { clock, pulse, seen } = start(() => false);
  clock.pass(5_000);
  clock.sleep(3_600_000);
  t.equal(seen.hung, 0, 'the hour was its own');
  clock.pass(4_000);
  pulse.answered();
  clock.pass(4_000);
  t.equal(seen.hung, 0, 'the other has woken up too');
  clock.sleep(60_000);
  clock.pass(4_999);
  t.equal(seen.hung, 0);
  clock.pass(1);
  t.equal(seen.hung, 1, 'the other has not');
});

t.test('a pinger that is starved itself judges nobody', async (t) => {
  const { clock, seen } = start(() => false);
  for (let i = 0; i < 100; i++) clock.sleep(3_001);
  t.equal(seen.hung, 0);
  clock.pass(6_000);
  t.equal(seen.hung, 1);
});

t.test('a pulse that is stopped is silent', async (t) => {
  const { clock, pulse, seen } = start(() => false);
  clock.pass(5_000);
  pulse.stop();
  clock.pass(100_000);
  t.strictSame(seen, { pings: 5, hung: 0 });
});
