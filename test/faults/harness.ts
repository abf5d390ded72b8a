import pg from 'pg';
import type { MirrorDriver } from './driver.js';
import { brokenInvariants, judge } from './judge.js';
import type { Plan } from './plan.js';
import { storm } from './storm.js';
import { TopicWatch } from './topic.js';
import { Workload } from './workload.js';
import { World } from './world.js';

export interface Verdict {
  /** What is wrong, one finding each; empty: nothing is. */
  readonly findings: readonly string[];
  /** What happened, to be read when something is wrong. */
  readonly log: readonly string[];
  readonly acked: number;
  /** How often the copy was seen whole during the run, with all invariants checked. */
  readonly wholeSights: number;
}

export interface Interference {
  /** Faults to choose from; all unless told. */
  readonly faults?: readonly string[];
  /** In place of faults by chance: what goes wrong. @returns what happened */
  readonly storm?: (world: World) => Promise<readonly string[]>;
  /** Done before pgfig starts, and installs the mirror. */
  readonly prepare?: (world: World) => Promise<void>;
  /** Done once the mirror has caught up, before the verdict: a planted fault. */
  readonly plant?: (world: World) => Promise<void>;
}

const SETTLE_MS = 60_000;

/** One run: load and faults for the plan's time, then calm, then the verdict. */
export async function run(plan: Plan, driver: MirrorDriver, interference: Interference = {}): Promise<Verdict> {
  const log: string[] = [];
  const began = Date.now();
  const note = (what: string): number => log.push(`${((Date.now() - began) / 1000).toFixed(1)} s: ${what}`);
  const world = await World.create(plan, driver, interference.prepare);
  note('everything runs');
  const findings: string[] = [];
  const workload = new Workload({
    seed: plan.seed,
    proxy: () => world.proxyUrl,
    source: () => world.sourceUrl,
  });
  const observer = new Observer(world, driver);
  try {
    if (driver.emptyFirst !== true) await world.fill();
    await driver.install(world);
    if (driver.emptyFirst === true) await world.fill();
    if (!plan.backfillUnderLoad) await driver.backfill(world, false);
    note('the mirror is installed');
    const topic = world.kafka === null ? null : await TopicWatch.begin(world, world.kafka.broker);
    const filling = new Backfilling(world, driver);
    workload.start();
    if (plan.backfillUnderLoad) filling.start();
    else observer.start();
    const { faults, storm: own } = interference;
    log.push(...(own === undefined ? (await storm(world, faults)).log : await own(world)));
    note('the storm is over');
    await workload.stop();
    await workload.settle();
    await filling.done;
    log.push(...filling.log, workload.journal.summary());
    findings.push(...(await settle(world, driver)));
    note('the mirror has caught up');
    await observer.stop();
    if (findings.length === 0) {
      await interference.plant?.(world);
      findings.push(...(await judge(world.sourceUrl, world.targetUrl, workload.journal)));
      if (topic !== null) findings.push(...(await topic.judge(workload.journal)));
    }
    note('judged');
    findings.push(...observer.findings);
    if (findings.length > 0) log.push(await driver.report(world), ...world.pgfigs.map((pgfig) => tail(pgfig.logs())));
    return { findings, log, acked: workload.journal.count('acked'), wholeSights: observer.sights };
  } finally {
    await Promise.all([workload.stop(), observer.stop()]);
    await world.close();
  }
}

const tail = (text: string): string => text.split('\n').slice(-60).join('\n');

/** Waits until the mirror says that nothing is on its way. */
async function settle(world: World, driver: MirrorDriver): Promise<string[]> {
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    const behind = await driver.behind(world).catch((error: unknown) => `cannot be asked: ${error}`);
    if (behind === null) return [];
    if (Date.now() > deadline) return [`the mirror does not catch up in ${SETTLE_MS} ms: ${behind}`];
    await pause(50);
  }
}

/** A backfill that is begun again as often as it is interrupted. */
class Backfilling {
  done: Promise<void> = Promise.resolve();
  readonly log: string[] = [];
  readonly #world: World;
  readonly #driver: MirrorDriver;

  constructor(world: World, driver: MirrorDriver) {
    this.#world = world;
    this.#driver = driver;
  }

  start(): void {
    this.done = this.#run();
    // Whoever waits for it hears of its failure, though later.
    this.done.catch(() => {});
  }

  async #run(): Promise<void> {
    const deadline = Date.now() + this.#world.plan.duration + SETTLE_MS;
    for (let times = 1; ; times++) {
      try {
        await this.#driver.backfill(this.#world, times > 1);
        this.log.push(`backfill done, begun ${times} times`);
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
        this.log.push(`backfill interrupted: ${String(error).slice(0, 300)}`);
        await pause(200);
      }
    }
  }
}

/** Looks at the copy again and again: whenever it says that it is whole, every invariant holds. */
class Observer {
  readonly findings: string[] = [];
  sights = 0;
  readonly #world: World;
  readonly #driver: MirrorDriver;
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(world: World, driver: MirrorDriver) {
    this.#world = world;
    this.#driver = driver;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.#look().catch(() => {});
      await pause(300);
    }
  }

  async #look(): Promise<void> {
    const client = new pg.Client({ connectionString: this.#world.targetUrl, query_timeout: 10_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const { rows } = await client.query<{ whole: boolean }>(this.#driver.wholeSql);
      if (rows[0]?.whole !== true) return;
      const broken = await brokenInvariants(client);
      this.sights += 1;
      this.findings.push(...broken.map((line) => `during the run, in a copy that said it was whole: ${line}`));
    } finally {
      await client.end().catch(() => {});
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
