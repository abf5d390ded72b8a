import type { Sample } from '../report/results.js';
import type { Running } from '../targets/target.js';
import type { Login } from '../workloads/wire-client.js';
import type { RunSettings, Workload } from '../workloads/workload.js';
import { cpuTime, watchPeak } from './process-tree.js';

export interface Contender {
  readonly name: string;
  readonly running: Running;
}

export interface Plan {
  readonly rounds: number;
  /** Seconds; 0: none. */
  readonly warmUp: number;
  readonly settings: RunSettings;
  readonly user: string;
  readonly database: string;
}

/**
 * Runs a workload in rounds, each target once per round, another one first each time: what else the machine does, and
 * how it warms up, then falls on all of them, and ratios are taken within a round.
 * @returns target -> one sample per round; a target that failed is missing, and `failed` has been told
 */
export async function runRounds(
  workload: Workload,
  contenders: readonly Contender[],
  plan: Plan,
  failed: (target: string, reason: string) => void,
): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  const warmUp = plan.warmUp > 0 && (workload.counted === 'transaction' || workload.counted === 'connection');
  for (let round = warmUp ? -1 : 0; round < plan.rounds; round++) {
    for (const contender of rotated(contenders, Math.max(round, 0))) {
      const taken = samples.get(contender.name);
      if (taken === undefined) continue;
      const settings = round < 0 ? { ...plan.settings, seconds: plan.warmUp } : plan.settings;
      try {
        const sample = await measure(workload, contender.running, placeOf(contender, plan), settings);
        if (round >= 0) taken.push(sample);
      } catch (error) {
        if (settings.signal.aborted) throw error;
        samples.delete(contender.name);
        failed(contender.name, error instanceof Error ? error.message : String(error));
      }
    }
  }
  return samples;
}

async function measure(workload: Workload, running: Running, through: Login, settings: RunSettings): Promise<Sample> {
  const { pid } = running;
  if (pid === null) return { ...(await workload.run(through, settings)), cpu: null, peakBytes: null };
  const before = cpuTime(pid);
  const peak = watchPeak(pid);
  try {
    const outcome = await workload.run(through, settings);
    const after = cpuTime(pid);
    const cpu = { user: after.user - before.user, system: after.system - before.system };
    return { ...outcome, cpu, peakBytes: peak() };
  } finally {
    peak();
  }
}

export function placeOf(contender: Contender, plan: Pick<Plan, 'user' | 'database'>): Login {
  const { host, port } = contender.running;
  return { host, port, user: plan.user, database: plan.database };
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const at = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}
