import { Expect } from '../../backend/reply-queue.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { decodeQuery } from '../../wire/decode.js';
import { query } from '../../wire/frontend-messages.js';
import { markOfPart, noteRefusal } from '../counting/counting.js';
import { openLink } from '../login/opening.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import { endEverywhere } from '../transaction/ending.js';
import { failedTransaction } from '../transaction/failed.js';
import { makeReady } from '../transaction/joining.js';
import { Transaction } from '../transaction/transaction.js';
import { countSent } from './send-query.js';

/**
 * A query string whose statements belong to several databases. One that only reads is split, under transactions
 * of pgfig's own: one statement after the other, each on its database, and the first error ends it. One that
 * writes, or holds transaction control, would not be one transaction any more: refused.
 * @throws PgfigError SPLIT_NOT_POSSIBLE
 */
export function runSplit(session: SessionCore, plan: TextPlan, frame: Buffer): Promise<void> {
  const what = notToBeSplit(plan);
  if (what !== null) throw noteRefusal(session, plan, refusal(plan, what));
  return split(session, plan, frame);
}

function notToBeSplit(plan: TextPlan): string | null {
  if (plan.parsed.statements.length < 2) return 'a statement';
  if (plan.writes || plan.parsed.statements.some((statement) => statement.writesData)) {
    return 'a query string that writes';
  }
  if (plan.controlInside) return 'a query string with transaction control';
  return plan.effects.length > 0 ? 'a query string that changes the session' : null;
}

function refusal(plan: TextPlan, what: string): PgfigError {
  const homes = plan.routes.flatMap((route) =>
    route.database === null
      ? []
      : [...route.reads, ...route.written].map((table) => `${table} is in ${route.database}`),
  );
  return new PgfigError('SPLIT_NOT_POSSIBLE', `${what} cannot span several databases`, {
    detail: `${[...new Set(homes)].join('; ')}.`,
  });
}

async function split(session: SessionCore, plan: TextPlan, frame: Buffer): Promise<void> {
  const own = session.tx === null;
  if (plan.mirrored !== null) session.wrote(plan.mirrored);
  if (own) {
    const tx = new Transaction('', null);
    session.tx = tx;
    session.txStamp = tx.stamp;
  }
  session.splitting = true;
  session.lastQueryFailed = false;
  try {
    for (let i = 0; i < plan.parsed.statements.length && !session.lastQueryFailed; i++)
      await runPart(session, plan, frame, i);
  } finally {
    session.splitting = false;
    await endSplit(session, own);
  }
  session.sayReady();
}

async function endSplit(session: SessionCore, own: boolean): Promise<void> {
  const { tx } = session;
  if (tx === null) return;
  const failed = session.lastQueryFailed;
  if (own) {
    const committed = await endEverywhere(session, tx, failed ? 'rollback' : 'commit', false);
    // A connection has ended behind its part's answer, and what another part has written unseen was rolled back.
    if (!committed && !failed) throw tx.untoldLoss ?? failedTransaction();
  } else if (failed) session.failHere(tx);
}

async function runPart(session: SessionCore, plan: TextPlan, frame: Buffer, index: number): Promise<void> {
  const route = plan.routes[index];
  const span = plan.parsed.spans[index];
  if (route === undefined || span === undefined) return;
  const database = route.database ?? session.last?.database ?? session.homeName;
  const target = session.links.get(database) ?? (await openLink(session, database));
  await makeReady(session, target, false);
  countSent(session, plan, target);
  const mark = markOfPart(session, plan, index, database);
  // Error positions count from the beginning of the whole string: blanks stand where the rest of it stood.
  const { queryStart } = decodeQuery(frame, 5, frame.length);
  const before = frame.toString('utf8', queryStart, queryStart + span[0]).replaceAll(/[^\n]/gu, ' ');
  target.link.queue.push(Expect.Query, null, null, mark, session.arrivedAt);
  target.lastWasQuery = true;
  session.active = target;
  session.last = target;
  session.lastQueryFailed = false;
  target.link.send(query(before + frame.toString('utf8', queryStart + span[0], queryStart + span[1])));
  await session.answered(target);
}
