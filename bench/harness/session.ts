import { cpus, release, totalmem } from 'node:os';
import { runMicro } from '../micro/index.js';
import type { IdleResult, LatencyResult, MicroResult, Results, TargetInfo, WorkloadResult } from '../report/results.js';
import { summariseLatency, summariseWorkload } from '../report/summarise.js';
import { TARGETS } from '../targets/index.js';
import type { Backend, Surroundings, Target } from '../targets/target.js';
import { measureIdle } from '../workloads/idle.js';
import { WORKLOADS } from '../workloads/index.js';
import { LATENCY_PROTOCOLS, measureLatency } from '../workloads/latency.js';
import type { LatencyTimes } from '../workloads/latency-client.js';
import { type Environment, startEnvironment } from './environment.js';
import { type BenchOptions, wanted } from './options.js';
import { type Contender, type Plan, placeOf, runRounds } from './rounds.js';
import type { Scope } from './scope.js';

type Say = (line: string) => void;

/** pgbench's accounts for each unit of its scale. */
const ACCOUNTS = 100_000;
/** Connections that a target must hold in the throughput workloads. */
const MOST_CLIENTS = 64;

/** Starts everything, measures what the options ask for, and leaves stopping to `scope`. */
export async function runBenchmark(options: BenchOptions, scope: Scope, say: Say): Promise<Results> {
  const roster = new Roster(options.targets);
  await roster.look();
  const workloads = WORKLOADS.filter(({ name }) => wanted(options, name));
  const protocols = LATENCY_PROTOCOLS.filter((protocol) => wanted(options, `latency/${protocol}`));
  const throughput: WorkloadResult[] = [];
  const latency: LatencyResult[] = [];
  let idle: IdleResult | null = null;
  if (workloads.length > 0 || protocols.length > 0 || options.idleClients > 0) {
    say('Starting Postgres');
    const environment = await startEnvironment(options.scale, scope);
    if (workloads.length > 0 || protocols.length > 0) {
      const contenders = await roster.start(environment.backend, environment.around(MOST_CLIENTS), scope, say);
      const plan = planOf(options, environment, scope);
      for (const workload of workloads) {
        const samples = await runRounds(workload, contenders, plan, (name, why) =>
          roster.problem(name, workload.name, why),
        );
        throughput.push(summariseWorkload(workload, samples));
        say(progressLine(throughput.at(-1)));
      }
      for (const protocol of protocols) latency.push(await latencyOf(protocol, contenders, plan, options, say));
    }
    if (options.idleClients > 0) idle = await idleOf(options.idleClients, roster, environment, scope, say);
  }
  const micro: MicroResult[] = options.micro ? await runMicro((name) => wanted(options, `micro/${name}`)) : [];
  const { rounds, seconds, scale } = options;
  return {
    takenAt: new Date().toISOString(),
    machine: machine(),
    options: { rounds, seconds, scale },
    targets: roster.infos(),
    throughput,
    latency,
    idle,
    micro,
  };
}

function planOf(options: BenchOptions, environment: Environment, scope: Scope): Plan {
  const { rounds, warmUp, seconds, scale, copyMegabytes, rows } = options;
  const settings = { pgbench: environment.pgbench, seconds, scale, copyMegabytes, rows, signal: scope.signal };
  return { rounds, warmUp, settings, user: environment.backend.user, database: environment.backend.database };
}

async function latencyOf(
  protocol: (typeof LATENCY_PROTOCOLS)[number],
  contenders: readonly Contender[],
  plan: Plan,
  options: BenchOptions,
  say: Say,
): Promise<LatencyResult> {
  const places = Object.fromEntries(contenders.map((contender) => [contender.name, placeOf(contender, plan)]));
  const rounds: LatencyTimes[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const accounts = options.scale * ACCOUNTS;
    rounds.push(await measureLatency(protocol, places, options.latencyStatements, accounts, plan.settings.signal));
  }
  const result = summariseLatency(protocol, rounds);
  const p50s = Object.entries(result.targets).map(([name, at]) => `${name} ${at.p50.median.toFixed(0)}`);
  say(`latency/${protocol}: p50 in us: ${p50s.join(', ')}`);
  return result;
}

/** Each target alone, one after the other: memory needs no turns. */
async function idleOf(
  clients: number,
  roster: Roster,
  environment: Environment,
  scope: Scope,
  say: Say,
): Promise<IdleResult> {
  const targets: Record<string, { beforeMiB: number; withClientsMiB: number }> = {};
  for (const target of roster.present) {
    if (target.name === 'direct' || clients > (target.mostClients ?? clients)) continue;
    try {
      const memory = await measureIdle(target, environment.backend, environment.around(clients), clients, scope.signal);
      targets[target.name] = memory;
      say(`idle: ${target.name} ${(memory.withClientsMiB - memory.beforeMiB).toFixed(0)} MiB for ${clients} clients`);
    } catch (error) {
      scope.signal.throwIfAborted();
      roster.problem(target.name, 'idle', error instanceof Error ? error.message : String(error));
      say(`idle: ${target.name} not measured: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { clients, targets };
}

/** The targets that were asked for: which are here, which run, and what went wrong with each. */
class Roster {
  readonly #targets: readonly Target[];
  readonly #versions = new Map<string, string | null>();
  readonly #problems = new Map<string, string[]>();

  constructor(names: readonly string[]) {
    this.#targets = TARGETS.filter((target) => names.includes(target.name));
  }

  get present(): readonly Target[] {
    return this.#targets.filter((target) => this.#versions.get(target.name) !== null);
  }

  async look(): Promise<void> {
    for (const target of this.#targets) this.#versions.set(target.name, await target.version());
  }

  /** A target that does not start is left out; the others are still worth comparing. */
  async start(backend: Backend, around: Surroundings, scope: Scope, say: Say): Promise<Contender[]> {
    const contenders: Contender[] = [];
    for (const target of this.#targets) {
      if (!this.present.includes(target)) {
        say(`${target.name}: not installed, skipped`);
        continue;
      }
      try {
        const running = await target.start(backend, around);
        scope.defer(() => running.stop());
        contenders.push({ name: target.name, running });
      } catch (error) {
        scope.signal.throwIfAborted();
        this.problem(target.name, 'start', error instanceof Error ? error.message : String(error));
        say(`${target.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return contenders;
  }

  problem(target: string, where: string, why: string): void {
    const oneLine = `${where}: ${why.replaceAll(/\s+/g, ' ').slice(0, 300)}`;
    this.#problems.set(target, [...(this.#problems.get(target) ?? []), oneLine]);
  }

  infos(): TargetInfo[] {
    return this.#targets.map(({ name, what }) => ({
      name,
      what,
      version: this.#versions.get(name) ?? null,
      problems: this.#problems.get(name) ?? [],
    }));
  }
}

function progressLine(result: WorkloadResult | undefined): string {
  if (result === undefined) return '';
  const reference = 'pgbouncer' in result.targets ? 'toPgbouncer' : 'toDirect';
  const cells = Object.entries(result.targets).map(([name, target]) => {
    const ratio = target[reference];
    return `${name} ${target.value.median.toFixed(0)}${ratio === null ? '' : ` (${ratio.median.toFixed(2)})`}`;
  });
  return `${result.name}: ${cells.join(', ')} ${result.unit}`;
}

function machine(): Results['machine'] {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryMiB: Math.round(totalmem() / (1024 * 1024)),
    kernel: release(),
    node: process.version,
  };
}
