import { Cron } from 'croner';
import type { Logger } from 'pino';
import type { Config } from '../../config/config.js';
import type { BackfillRelay } from '../../jobs/backfill/backfill-job.js';
import { compareTables } from '../../jobs/backfill/pre-checks.js';
import { JobRunner } from '../../jobs/run/job-runner.js';
import { ControlDatabase } from '../../jobs/store/control-database.js';
import { DivergenceStore } from '../../jobs/store/divergence-store.js';
import { type Job, JobStore } from '../../jobs/store/job-store.js';
import type { VerifyArgs, VerifyResult } from '../../jobs/verify/verify-job.js';
import { withBoth } from '../../mirror/connection.js';
import type { Mirror } from '../../mirror/mirror.js';
import { errorFields } from '../log/logger.js';
import type { DomainMirror } from './domain-mirror.js';
import { JOB_WORK } from './job-kinds.js';
import type { Mirrors } from './mirrors.js';

const COUNT_MS = 10_000;
/** Divergences of one table that a scheduled verify looks for. */
const MOST_DIVERGENCES = 10_000;

/** Series of a gauge: labels and value. */
export type TableCounts = readonly { readonly domain: string; readonly table: string; readonly count: number }[];

/** Jobs in the control process: those that commands have stored, and verify by its schedule. */
export class JobService {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #mirrors: Pick<Mirrors, 'all'>;
  readonly #control: ControlDatabase;
  readonly #store: JobStore;
  readonly #divergences: DivergenceStore;
  readonly #runner: JobRunner<BackfillRelay>;
  readonly #cron: Cron | null;
  readonly #timer: NodeJS.Timeout;
  #open: TableCounts = [];
  #schema: TableCounts = [];
  #unreachable = false;

  constructor(config: Config, log: Logger, mirrors: Pick<Mirrors, 'all'>) {
    this.#config = config;
    this.#log = log;
    this.#mirrors = mirrors;
    this.#control = new ControlDatabase(config);
    this.#store = new JobStore(this.#control);
    this.#divergences = new DivergenceStore(this.#control);
    this.#runner = new JobRunner({
      ...{ config, store: this.#store, divergences: this.#divergences, work: JOB_WORK },
      relays: () => mirrors.all.map(relayOf),
      events: {
        onStarted: ({ id, domain, kind }) => log.info({ job: id, domain, kind }, 'job begins'),
        onEnded: (job, end, error, result) => this.#ended(job, end, error, result),
        onError: (error) => this.#failed(error),
      },
    });
    const { verify } = config;
    this.#cron = verify === null ? null : new Cron(verify.schedule, { unref: true }, () => this.verifyNow());
    this.#timer = setInterval(() => void this.#count(), COUNT_MS);
    this.#timer.unref();
  }

  /** Open divergences of the domains that this instance leads. */
  get open(): TableCounts {
    return this.#open;
  }

  /** Differences of definition that would refuse rows, as of the last scheduled look. */
  get schema(): TableCounts {
    return this.#schema;
  }

  /** What the schedule does: a verify of each domain that is led from here and has none waiting, and a look at the definitions. */
  async verifyNow(): Promise<void> {
    const schema: TableCounts[number][] = [];
    for (const { mirror } of this.#led()) {
      try {
        schema.push(...(await this.#drift(mirror)));
        const open = await this.#store.open(mirror.domain);
        if (open.some(({ kind }) => kind === 'verify')) continue;
        const sample = this.#config.verify?.sample ?? 100;
        const seed = new Date().toISOString();
        const args: VerifyArgs = { tables: null, sample, seed, values: false, most: MOST_DIVERGENCES };
        await this.#store.create(mirror.domain, 'verify', args);
      } catch (error) {
        this.#log.error({ domain: mirror.domain, ...errorFields(error) }, 'scheduled verify could not begin');
      }
    }
    this.#schema = schema;
    this.#runner.look();
  }

  async close(): Promise<void> {
    this.#cron?.stop();
    clearInterval(this.#timer);
    await this.#runner.close();
    await this.#control.close();
  }

  #led(): DomainMirror[] {
    return this.#mirrors.all.filter(({ relay }) => relay.leader !== null);
  }

  async #drift(mirror: Mirror): Promise<TableCounts> {
    const findings = await withBoth(this.#config, mirror, (source, target) =>
      compareTables(source, target, mirror.tables),
    );
    const problems = findings.filter(({ severity }) => severity === 'problem');
    for (const { table, text } of problems)
      this.#log.error({ domain: mirror.domain, table, problem: text }, 'the definitions of source and target differ');
    const { domain } = mirror;
    return mirror.tables.map((table) => ({
      domain,
      table,
      count: problems.filter((one) => one.table === table).length,
    }));
  }

  async #count(): Promise<void> {
    const led = this.#led().map(({ mirror }) => mirror);
    if (led.length === 0) {
      this.#open = [];
      return;
    }
    try {
      const found = await this.#divergences.counts();
      this.#unreachable = false;
      this.#open = led.flatMap(({ domain, tables }) => {
        const known = found.filter((one) => one.domain === domain);
        const all = new Set([...tables, ...known.map(({ table }) => table)]);
        return [...all].map((table) => ({
          ...{ domain, table },
          count: known.find((one) => one.table === table)?.open ?? 0,
        }));
      });
    } catch (error) {
      this.#failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #ended({ id: job, domain, kind }: Job, end: string, error: Error | null, result: object | null): void {
    const { divergences = 0 } = (result ?? {}) as Partial<VerifyResult>;
    if (error !== null) this.#log.error({ job, domain, kind, ...errorFields(error) }, 'job failed');
    else if (kind === 'verify' && divergences > 0)
      this.#log.error({ job, domain, divergences }, 'the copies diverge: pgfig repair makes them equal');
    else this.#log.info({ job, domain, kind, end, result }, 'job ends');
    void this.#count();
  }

  /** Once, until it works again. */
  #failed(error: Error): void {
    if (!this.#unreachable) this.#log.error(errorFields(error), 'the control database does not answer for jobs');
    this.#unreachable = true;
  }
}

/** The rule of a mirror may change while its relay goes on. */
const relayOf = (one: DomainMirror): BackfillRelay => ({
  mirror: one.mirror,
  get leader() {
    return one.relay.leader;
  },
  turnAfterNow: () => one.relay.turnAfterNow(),
  whole: (work) => one.relay.whole(work),
  backfill: (table, options) => one.relay.backfill(table, options),
});
