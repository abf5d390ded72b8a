import { FAILED } from '../client/client-end.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { sendOn } from '../simple/send-query.js';
import { anyLink } from './joining.js';

/** One that may run on any link: the transaction's, else whichever is there. Returns as `runQuery` does. */
export function forwardToAny(session: SessionCore, plan: TextPlan, frame: Buffer): Promise<void> | null {
  const target = anyLink(session);
  if (target instanceof Promise) return target.then((link) => sendOn(session, plan, link, frame) ?? undefined);
  return sendOn(session, plan, target, frame);
}

/** The participant that knows of the failure, else the one used last. */
export function failedOrLast(session: SessionCore): SessionLink | null {
  const participants = session.tx?.participants ?? [];
  return (
    participants.find((participant) => participant.link.status === FAILED) ??
    participants.find((participant) => participant === session.last) ??
    participants.at(-1) ??
    null
  );
}
