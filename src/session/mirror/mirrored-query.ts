import { orRefusal } from '../counting/counting.js';
import { settleContext } from '../names/settle-context.js';
import { textOf } from '../plan/query-text.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { sendQuery } from '../simple/send-query.js';
import { endEverywhere } from '../transaction/ending.js';
import { failedTransaction } from '../transaction/failed.js';
import { keepAwake, linkFor, makeReady } from '../transaction/joining.js';
import { Transaction } from '../transaction/transaction.js';
import { failureOf } from './divergence.js';
import { type StartedCopy, startCopy, whenCopied } from './mirrored-copy.js';
import { mirroredAt, noteRefused, noteRefusedAt, queryOf, repeatsSome, takeTags } from './mirrored-text.js';
import { mirrorsOf } from './session-mirrors.js';
import { keysOf } from './statement-keys.js';
import { sendQueryTo } from './statement-mirror.js';

/**
 * A Query whose writes are mirrored by statement. One that comes alone is put into a transaction of pgfig's own, so
 * that the new database has run it before the monolith commits; its ReadyForQuery waits for both. Within the client's
 * own transaction the answer passes at once, and what the client sends next waits.
 * @param pass runs it as if nothing were mirrored
 */
export function runMirrored(
  session: SessionCore,
  plan: TextPlan,
  frame: Buffer,
  pass: () => Promise<void> | null,
): Promise<void> {
  return repeatsSome(plan) ? runOnBoth(session, plan, frame) : runNoted(session, plan, pass);
}

async function runOnBoth(session: SessionCore, plan: TextPlan, frame: Buffer): Promise<void> {
  mirrorsOf(session, plan.mirror?.timeout ?? 0);
  const own = session.tx === null ? beginOwn(session) : null;
  try {
    const target = await linkFor(session, plan);
    await orRefusal(session, plan, () => makeReady(session, target, true));
    // Between its answer and COMMIT the new database is waited for, and the client is not idle.
    if (own !== null) keepAwake(target);
    const copy = plan.parsed.statements[0]?.copyStream === 'in' ? await startCopy(session, plan, frame) : null;
    session.tags = [];
    sendQuery(session, plan, target, frame);
    await session.answered(target);
    if (session.copyIn) {
      whenCopied(session, copy, true, () => afterOwn(session, own, () => answered(session, plan, frame, copy)));
      return;
    }
    await answered(session, plan, frame, copy);
  } catch (error) {
    session.lastQueryFailed = true;
    await endOwn(session, own);
    throw error;
  }
  await endOwn(session, own);
  if (own !== null) session.sayReady();
}

/** The rest of a COPY that was alone, once its data are through. */
async function afterOwn(session: SessionCore, own: Transaction | null, work: () => Promise<void>): Promise<void> {
  await work();
  await endOwn(session, own);
  if (own !== null) session.sayReady();
}

/** As BEGIN would, but that the client hears nothing of it. */
function beginOwn(session: SessionCore): Transaction {
  const tx = new Transaction('', null, session.facts.ownRelations);
  session.tx = tx;
  session.txStamp = tx.stamp;
  session.splitting = true;
  session.lastQueryFailed = false;
  return tx;
}

/** @throws PgfigError why the monolith has not committed: the statement's error, as far as the client is concerned */
async function endOwn(session: SessionCore, own: Transaction | null): Promise<void> {
  if (own === null || session.tx !== own) return;
  session.splitting = false;
  const failed = session.lastQueryFailed;
  const committed = await endEverywhere(session, own, failed ? 'rollback' : 'commit', false);
  session.client.releaseReports();
  // The monolith's connection may have ended while the new database was waited for.
  if (!committed && !failed) throw own.untoldLoss ?? failedTransaction();
}

/** The monolith has answered: what it has carried out is repeated, statement for statement. */
async function answered(session: SessionCore, plan: TextPlan, frame: Buffer, copy: StartedCopy | null): Promise<void> {
  const tags = takeTags(session);
  if (session.closed) return;
  if (copy !== null) await copy.end(!session.lastQueryFailed, tags[0] ?? null);
  else if (!session.lastQueryFailed) await repeatText(session, plan, frame, tags);
  if (plan.settles && session.tx !== null && !session.splitting) await settleContext(session);
}

async function repeatText(session: SessionCore, plan: TextPlan, frame: Buffer, tags: readonly string[]): Promise<void> {
  const timeout = plan.mirror?.timeout ?? 0;
  const mirrors = mirrorsOf(session, timeout);
  for (const [at] of plan.parsed.statements.entries()) {
    const found = mirroredAt(plan, at);
    if (found === null) continue;
    if (found.mirroring.refusal !== null) noteRefusedAt(session, plan, at);
    else {
      const part = partOf(session, plan, frame, at);
      const keys = part === null ? null : keysOf(session, found.mirroring, part.subarray(5, -1));
      const statement = { ...found, keys };
      if (part === null) mirrors.note(statement, failureOf('string', 'it cannot be cut out of its query string'));
      else await mirrors.repeat(statement, tags[at] ?? null, timeout, (to, reply) => sendQueryTo(to, reply, part));
    }
  }
}

/** One statement of a string as a Query; null where the text had to be decoded to be read. */
function partOf(session: SessionCore, plan: TextPlan, frame: Buffer, at: number): Buffer | null {
  if (plan.parsed.statements.length === 1) return frame;
  const span = plan.parsed.spans[at];
  const [text, start] = textOf(session, frame, 5, frame.length);
  if (span === undefined || text !== frame) return null;
  return queryOf(text.subarray(start + span[0], start + span[1]));
}

/** A text that no mirror runs: it passes as always, and what the copy lacks then is noted. */
async function runNoted(session: SessionCore, plan: TextPlan, pass: () => Promise<void> | null): Promise<void> {
  session.lastQueryFailed = false;
  await pass();
  const { active } = session;
  if (active !== null) await session.answered(active);
  if (session.copyIn) whenCopied(session, null, true, async () => noted(session, plan, active));
  else await noted(session, plan, active);
}

async function noted(session: SessionCore, plan: TextPlan, active: SessionLink | null): Promise<void> {
  // Of a string that ends transactions itself, a part may be committed although the rest has failed.
  if (session.closed || active === null || (session.lastQueryFailed && !plan.controlInside)) return;
  noteRefused(session, plan);
  if (session.tx === null) await session.mirrors?.end('committed');
}

/** A Query ends the pipeline that was not ended by Sync, and commits what that has written with what it writes itself. */
export async function endsPipeline(session: SessionCore, run: () => Promise<void> | null): Promise<void> {
  session.lastQueryFailed = false;
  await run();
  if (session.active !== null) await session.answered(session.active);
  if (session.tx === null) await session.mirrors?.end(session.lastQueryFailed ? 'rolled back' : 'committed');
}
