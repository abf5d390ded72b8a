import { runClient } from './child.js';
import type { LatencyTask, LatencyTimes } from './latency-client.js';
import type { Login } from './wire-client.js';

export const LATENCY_PROTOCOLS = ['simple', 'extended', 'prepared'] as const;
export type LatencyProtocol = (typeof LATENCY_PROTOCOLS)[number];

/**
 * One client that waits for each answer, turn by turn through every target, within one process: what a target adds is
 * then the difference of numbers taken in the same milliseconds.
 * @returns microseconds of each statement, by target
 */
export function measureLatency(
  protocol: LatencyProtocol,
  targets: Readonly<Record<string, Login>>,
  statements: number,
  accounts: number,
  signal: AbortSignal,
): Promise<LatencyTimes> {
  const task: LatencyTask = { protocol, targets, statements, accounts };
  return runClient<LatencyTimes>('./latency-client.js', task, signal);
}
