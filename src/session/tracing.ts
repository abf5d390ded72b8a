import { HEADER, messageLength } from '../wire/framer.js';
import { traceMessage } from '../wire/trace.js';
import type { SessionCore } from './session-core.js';

/** `--trace`: one line for each whole message in chunk[start, end); the parts of split ones are passed over. */
export function traceMessages(
  session: SessionCore,
  direction: 'F' | 'B',
  peer: string,
  chunk: Buffer,
  start: number,
  end: number,
): void {
  let at = start;
  while (end - at >= HEADER) {
    const next = at + 1 + messageLength(chunk, at);
    if (next > end || next <= at) return;
    const line = traceMessage(direction, chunk[at] as number, chunk, at + HEADER, next);
    session.traffic.events.trace?.(session.start.info.id, direction, peer, line);
    at = next;
  }
}
