import { stableCopy } from '../../net/slab.js';
import { F } from '../../wire/types.js';
import { IDLE, IN_TRANSACTION } from '../client/client-end.js';
import { settleContext } from '../names/settle-context.js';
import type { SessionCore } from '../session-core.js';
import { chainOn } from './ending.js';
import { repeatEverywhere } from './everywhere.js';
import { finish } from './transaction-end.js';

/** Deals with a message once the outcome of the statement before it is known. */
export function settleFirst(session: SessionCore, type: number, chunk: Buffer, at: number, end: number): void {
  const frame = stableCopy(chunk, at, end);
  session.flushRun();
  session.block(
    settle(session).then(() => session.message(type, frame, 0, frame.length, true)),
    isSimple(type),
  );
}

/** Messages that are answered with ReadyForQuery of their own, also when they fail. */
export const isSimple = (type: number): boolean => type === F.Query || type === F.FunctionCall;

/**
 * Waits for the outcome. Within a pipeline COMMIT and ROLLBACK take effect at once, long before the ReadyForQuery that
 * would tell: what follows belongs to no transaction, or to the next one.
 */
export async function settle(session: SessionCore): Promise<void> {
  const { unsettled } = session;
  session.unsettled = null;
  if (unsettled === null && !session.facts.unsure) return;
  await session.activeAnswered();
  if (session.skipping || session.closed) return;
  if (unsettled === null) return settleContext(session);
  const { control } = unsettled.plan;
  const { tx } = session;
  if (tx !== null && (control?.type === 'commit' || control?.type === 'rollback')) {
    session.commitSent = null;
    if (control.chain) chainOn(session, tx, unsettled.target);
    else finish(session, session.lastTag !== 'ROLLBACK');
    session.ended(session.lastTag !== 'ROLLBACK');
    session.status = control.chain ? IN_TRANSACTION : IDLE;
  }
  if (session.commits.due) await session.committedInPipeline();
  if (tx === null && control !== null) session.endImplicit();
  if (tx !== null && control?.type === 'rollback-to') {
    session.healed(tx);
    session.status = IN_TRANSACTION;
  }
  if (unsettled.plan.everywhere) await repeatEverywhere(session, unsettled.target, unsettled.plan, unsettled.sql);
  await settleContext(session);
}
