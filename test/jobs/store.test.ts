import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { JobRunner } from '../../src/jobs/run/job-runner.js';
import { inWholeTurn, type JobRelay, type JobRun } from '../../src/jobs/run/job-work.js';
import { ControlDatabase } from '../../src/jobs/store/control-database.js';
import { DivergenceStore } from '../../src/jobs/store/divergence-store.js';
import { type Job, JobStore } from '../../src/jobs/store/job-store.js';
import { DEFAULT_MIRROR } from '../../src/mirror/mirror.js';
import { writeConfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';
import { onTeardown } from '../support/teardown.js';

const server = await startPostgres();
const config = loadConfig(await writeConfig({ databases: { monolith: server.url() } }, { listen: 1, admin: 2 }));
const control = new ControlDatabase(config);
await onTeardown(() => control.close());
const store = new JobStore(control);
const divergences = new DivergenceStore(control);

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const aged = (id: string) =>
  server.query(`UPDATE pgfig.jobs SET beat_at = now() - interval '1 minute' WHERE id = ${id}`);

t.test('one job of a domain at a time, in their order', async (t) => {
  const [first, second, other] = [
    await store.create('orders', 'verify', { sample: 5 }),
    await store.create('orders', 'repair', {}),
    await store.create('billing', 'verify', {}),
  ];
  t.match(first, { domain: 'orders', kind: 'verify', args: { sample: 5 }, state: 'waiting', runner: null });
  t.match(await store.take('orders', 'a'), { id: first.id, state: 'running', runner: 'a' });
  t.equal(await store.take('orders', 'b'), null, 'the second waits');
  t.match(await store.take('billing', 'b'), { id: other.id }, 'another domain does not');
  t.same(
    (await store.open('orders')).map(({ id }) => id),
    [first.id, second.id],
  );
  t.equal(await store.finish(first.id, 'b', { result: {} }), false, 'only by its runner');
  t.equal(await store.finish(first.id, 'a', { result: { good: true } }), true);
  t.match(await store.get(first.id), { state: 'done', result: { good: true } });
  t.match(await store.take('orders', 'b'), { id: second.id });
  t.equal(await store.finish(second.id, 'b', { error: 'no' }), true);
  t.match(await store.get(second.id), { state: 'failed', error: 'no' });
  t.equal(await store.cancel(second.id), false, 'it is over');
  await store.cancel(other.id);
});

t.test('two that take at once get one job', async (t) => {
  await store.create('race', 'verify', {});
  await store.create('race', 'verify', {});
  const controls = Array.from({ length: 6 }, () => new ControlDatabase(config));
  const taken = await Promise.all(controls.map((one, at) => new JobStore(one).take('race', `r${at}`)));
  t.equal(taken.filter((job) => job !== null).length, 1);
  await Promise.all(controls.map((one) => one.close()));
});

t.test("the job of a dead runner is taken up with its progress, and is the dead one's no longer", async (t) => {
  const { id } = await store.create('crash', 'backfill', {});
  await store.take('crash', 'dead');
  t.equal(await store.beat(id, 'dead', { rows: 7 }), true);
  t.equal(await store.take('crash', 'next'), null, 'it lives');
  await aged(id);
  t.match(await store.take('crash', 'next'), { id, runner: 'next', progress: { rows: 7 } });
  t.equal(await store.beat(id, 'dead', { rows: 8 }), false);
  t.equal(await store.finish(id, 'dead', { result: {} }), false);
  t.match(await store.get(id), { state: 'running', progress: { rows: 7 } });
  t.equal(await store.release(id, 'next', { rows: 9 }), true);
  t.match(await store.take('crash', 'third'), { id, progress: { rows: 9 } });
  t.equal(await store.cancel(id), true);
  t.equal(await store.beat(id, 'third', {}), false, 'a canceled job tells its runner so');
});

t.test('a lost connection is opened anew', async (t) => {
  const pids = () =>
    server.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgfig jobs'`);
  await store.open('orders');
  await pids();
  await until(
    () =>
      store.open('orders').then(
        () => true,
        () => false,
      ),
    'an answer',
  );
  t.pass('answered');
});

/** A relay that leads, or does not. */
const relayOf = (domain: string, leads = true): JobRelay & { leader: object | null } => ({
  mirror: { domain, phase: 'dual-write', source: 'monolith', target: 'monolith', tables: [], rule: DEFAULT_MIRROR },
  leader: leads ? {} : null,
  turnAfterNow: () => Promise.resolve('applied'),
  whole: () => Promise.reject(new Error('no turn')),
});

interface Script {
  readonly relay: ReturnType<typeof relayOf>;
  readonly work: (run: JobRun) => Promise<{ good: boolean }>;
}

async function runner({ relay, work }: Script): Promise<{ runner: JobRunner<JobRelay>; ended: string[] }> {
  const ended: string[] = [];
  const made = new JobRunner<JobRelay>({
    ...{ config, store, divergences, relays: () => [relay], work: { backfill: work, verify: work, repair: work } },
    events: {
      onStarted: () => {},
      onEnded: (job: Job, end, error) => ended.push([job.kind, end, error?.message].filter(Boolean).join(' ')),
      onError: () => {},
    },
  });
  await onTeardown(() => made.close());
  return { runner: made, ended };
}

t.test('the runner runs what waits, beats, and tells the end', async (t) => {
  const { id } = await store.create('run', 'verify', { n: 1 });
  const bad = await store.create('run', 'repair', {});
  const relay = relayOf('run', false);
  const { ended } = await runner({
    relay,
    work: async (run) => {
      run.progress({ half: true });
      if (run.job.kind === 'repair') throw new Error('cannot');
      return { good: true };
    },
  });
  await new Promise((resolve) => setTimeout(resolve, 700));
  t.match(await store.get(id), { state: 'waiting' }, 'no job for who does not lead');
  relay.leader = {};
  await until(() => ended.length === 2, 'both are over');
  t.same(ended, ['verify done', 'repair failed cannot']);
  t.match(await store.get(id), { state: 'done', result: { good: true }, progress: { half: true } });
  t.match(await store.get(bad.id), { state: 'failed', error: 'cannot' });
});

t.test('a cancel stops the work; a close leaves it to the next, as does a relay that leads no more', async (t) => {
  const relay = relayOf('stop');
  let aborted = 0;
  const untilAborted = async (run: JobRun): Promise<{ good: boolean }> => {
    run.progress({ at: 5 });
    await new Promise<void>((resolve) => run.signal.addEventListener('abort', () => resolve(), { once: true }));
    aborted += 1;
    return { good: true };
  };
  const first = await store.create('stop', 'verify', {});
  const one = await runner({ relay, work: untilAborted });
  await until(async () => (await store.get(first.id))?.state === 'running', 'it runs');
  await store.cancel(first.id);
  await until(() => aborted === 1, 'it hears of the cancel');
  t.match(await store.get(first.id), { state: 'canceled' });
  const second = await store.create('stop', 'verify', {});
  await until(async () => (await store.get(second.id))?.state === 'running', 'the second runs');
  await one.runner.close();
  t.match(await store.get(second.id), { state: 'waiting', runner: null, progress: { at: 5 } });
  t.same(one.ended, ['verify left', 'verify left']);
  const lost = await runner({
    relay,
    work: async () => {
      relay.leader = null;
      throw new Error('the relay has ended');
    },
  });
  await until(() => lost.ended.length === 1, 'it has lost its relay');
  t.match(await store.get(second.id), { state: 'waiting' });
  await lost.runner.close();
});

t.test('a turn that fails is tried again, what the work throws is not', async (t) => {
  let turns = 0;
  const relay: JobRelay = {
    ...relayOf('turn'),
    whole: async (work) => {
      turns += 1;
      if (turns < 3) throw new Error('lock timeout');
      const side = { query: async () => {} };
      await work({ source: side, target: side } as unknown as Parameters<typeof work>[0]);
    },
  };
  const run = { relay, signal: new AbortController().signal } as unknown as JobRun;
  t.equal(await inWholeTurn(run, async () => 5), 5);
  t.equal(turns, 3);
  await t.rejects(
    inWholeTurn(run, async () => Promise.reject(new Error('mine'))),
    { message: 'mine' },
  );
  t.equal(turns, 4);
});

t.test('divergences: known ones keep their row, whole runs close what is gone', async (t) => {
  const [job, later] = [await store.create('d', 'verify', {}), await store.create('d', 'verify', {})];
  const one = { table: 'public.a', key: '1', kind: 'missing' as const, columns: [] };
  await divergences.record('d', 'public.a', job.id, [
    one,
    { ...one, key: '{a,"b c"}', kind: 'differs', columns: ['x'] },
  ]);
  await divergences.record('d', 'public.a', job.id, [{ ...one, kind: 'extra' }]);
  const open = await divergences.open('d', null, '0', 10);
  t.match(open, [
    { key: '1', kind: 'extra' },
    { key: '{a,"b c"}', columns: ['x'] },
  ]);
  t.equal(open.length, 2);
  t.match(await divergences.counts(), [{ domain: 'd', table: 'public.a', open: 2 }]);
  await server.query(`UPDATE pgfig.jobs SET started_at = now() + interval '1 s' WHERE id = ${later.id}`);
  await divergences.record('d', 'public.a', later.id, [one]);
  await divergences.closeOthers('d', 'public.a', later.id);
  t.match(await divergences.open('d', 'public.a', '0', 10), [{ key: '1', kind: 'missing' }]);
  await divergences.repaired([open[0]?.id ?? '']);
  t.same(await divergences.counts(), []);
});

t.test('divergences and jobs come in the order of their numbers, page by page', async (t) => {
  const keys = Array.from({ length: 120 }, (_, at) => `k${at}`);
  const job = await store.create('pages', 'verify', {});
  for (const key of keys) {
    await divergences.record('pages', 'public.a', job.id, [{ table: 'public.a', key, kind: 'missing', columns: [] }]);
  }
  const seen: string[] = [];
  for (let after = '0'; ; ) {
    const page = await divergences.open('pages', null, after, 7);
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.id;
    seen.push(...page.map(({ key }) => key));
  }
  t.same(seen, keys, 'each once, none left out');
  t.same(
    (await divergences.ofJob(job.id, 50)).map(({ key }) => key),
    keys.slice(0, 50),
  );
  for (let i = 0; i < 12; i++) await store.create('order', 'verify', {});
  const ids = (await store.open('order')).map(({ id }) => Number(id));
  t.same(
    ids,
    ids.toSorted((a, b) => a - b),
  );
});
