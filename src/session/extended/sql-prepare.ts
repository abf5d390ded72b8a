import { PgfigError } from '../../errors/pgfig-error.js';
import type { SessionEffect } from '../../sql/statement.js';
import { noteRefusal, orRefusal } from '../counting/counting.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { sendOn, sendQuery } from '../simple/send-query.js';
import { linkFor, makeReady } from '../transaction/joining.js';
import { latin1 } from './named-statements.js';
import { ensurePrepared, followRules } from './prepared-statements.js';

/**
 * SQL-level PREPARE, EXECUTE and DEALLOCATE, and cursors: they go where the name lives. Names of statements are one
 * namespace with those of the extended protocol (PostgreSQL documentation, PREPARE).
 * @returns undefined when the text is none of these
 */
export function runNamed(session: SessionCore, plan: TextPlan, frame: Buffer): Promise<void> | null | undefined {
  for (const effect of plan.effects) {
    switch (effect.type) {
      case 'prepare':
        return runPrepare(session, plan, effect, frame);
      case 'execute':
        return runExecute(session, plan, effect.name, frame);
      case 'deallocate':
        return effect.name === null ? undefined : runDeallocate(session, plan, effect.name, frame);
      case 'declare-cursor':
        return runDeclare(session, plan, effect.name, frame);
      case 'use-cursor':
        return runCursor(session, plan, effect.name, frame);
      case 'close-cursor':
        return effect.name === null ? undefined : runCursor(session, plan, effect.name, frame);
      default:
        break;
    }
  }
  return undefined;
}

/**
 * The link where the cursor or statement lives that a text names (FETCH, CLOSE, EXECUTE, DEALLOCATE); null where it
 * names none that is known.
 * @throws PgfigError DUPLICATE_CURSOR for a DECLARE whose name is taken on another link
 */
export function linkOfName(session: SessionCore, plan: TextPlan): SessionLink | null {
  if (plan.effects.length === 0) return null;
  for (const effect of plan.effects) {
    let link: SessionLink | null | undefined;
    if ((effect.type === 'use-cursor' || effect.type === 'close-cursor') && effect.name !== null) {
      link = session.cursors.get(effect.name)?.target;
    } else if ((effect.type === 'execute' || effect.type === 'deallocate') && effect.name !== null) {
      link = session.names.get(latin1(effect.name))?.on;
    } else if (effect.type === 'declare-cursor') {
      const taken = session.cursors.get(effect.name)?.target;
      if (taken !== undefined && taken.database !== (plan.database ?? taken.database)) {
        throw new PgfigError('DUPLICATE_CURSOR', `cursor "${effect.name}" already exists`);
      }
    }
    if (link !== undefined && link !== null && !link.link.lost) return link;
  }
  return null;
}

async function runPrepare(
  session: SessionCore,
  plan: TextPlan,
  effect: Extract<SessionEffect, { type: 'prepare' }>,
  frame: Buffer,
): Promise<void> {
  const name = latin1(effect.name);
  if (session.names.has(name))
    throw new PgfigError('DUPLICATE_STATEMENT', `prepared statement "${effect.name}" already exists`);
  const target = await linkFor(session, plan);
  await sendOn(session, { ...plan, writes: false }, target, frame);
  await session.answered(target);
}

async function runExecute(session: SessionCore, plan: TextPlan, name: string, frame: Buffer): Promise<void> {
  const prepared = session.names.get(latin1(name));
  if (prepared === undefined) return unknownName(session, plan, name, frame);
  followRules(session, prepared);
  const own = prepared.plan;
  if (own.error !== null) throw noteRefusal(session, own, own.error);
  const target = await (own.database === null && prepared.on !== null ? prepared.on : linkFor(session, own));
  await orRefusal(session, own, () => makeReady(session, target, own.writes));
  await ensurePrepared(session, prepared, target);
  sendQuery(
    session,
    { ...plan, writes: own.writes, marks: own.marks, kind: own.kind, domain: own.domain },
    target,
    frame,
  );
}

async function runDeallocate(session: SessionCore, plan: TextPlan, name: string, frame: Buffer): Promise<void> {
  const key = latin1(name);
  const prepared = session.names.get(key);
  if (prepared === undefined) return unknownName(session, plan, name, frame);
  const holders = [...session.links.values()].filter((target) => target.statements.get(key) === prepared);
  const [shown] = holders;
  if (shown === undefined) return toLast(session, plan, frame);
  await sendOn(session, plan, shown, frame);
  await session.answered(shown);
}

/** One namespace over all links: a name that is taken elsewhere is taken. @throws PgfigError DUPLICATE_CURSOR */
async function runDeclare(session: SessionCore, plan: TextPlan, name: string, frame: Buffer): Promise<void> {
  const target = await linkFor(session, plan);
  const taken = session.cursors.get(name);
  if (taken !== undefined && taken.target !== target) {
    throw new PgfigError('DUPLICATE_CURSOR', `cursor "${name}" already exists`);
  }
  await sendOn(session, plan, target, frame);
  await session.answered(target);
}

async function runCursor(session: SessionCore, plan: TextPlan, name: string, frame: Buffer): Promise<void> {
  const target = session.cursors.get(name)?.target;
  if (target === undefined || target.link.lost) return toLast(session, plan, frame);
  await sendOn(session, { ...plan, writes: false }, target, frame);
  await session.answered(target);
}

/** PREPARE may not take a name that stands on any link. @throws PgfigError DUPLICATE_STATEMENT */
export function refuseTakenName(session: SessionCore, plan: TextPlan): void {
  for (const effect of plan.effects) {
    if (effect.type === 'prepare' && session.names.has(latin1(effect.name))) {
      throw new PgfigError('DUPLICATE_STATEMENT', `prepared statement "${effect.name}" already exists`);
    }
  }
}

/** A name that pgfig does not know may stand on a backend all the same: made in a function, or done away with. */
async function unknownName(session: SessionCore, plan: TextPlan, name: string, frame: Buffer): Promise<void> {
  const target = await linkFor(session, { ...plan, database: null });
  if (target.stale.has(latin1(name))) {
    throw new PgfigError('UNDEFINED_STATEMENT', `prepared statement "${name}" does not exist`);
  }
  await toLast(session, plan, frame);
}

async function toLast(session: SessionCore, plan: TextPlan, frame: Buffer): Promise<void> {
  const target: SessionLink = await linkFor(session, { ...plan, database: null });
  await sendOn(session, { ...plan, writes: false }, target, frame);
}
