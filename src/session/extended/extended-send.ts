import { Expect } from '../../backend/reply-queue.js';
import { stableCopy } from '../../net/slab.js';
import { IDLE } from '../client/client-end.js';
import { markOf } from '../counting/counting.js';
import type { Mark } from '../counting/marks.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { makeReady } from '../transaction/joining.js';
import type { Prepared } from './prepared.js';
import { parseFor, rememberParse } from './prepared-statements.js';

/** Another link than `target` still has requests of the client's outstanding. */
export function othersBusy(session: SessionCore, target: SessionLink | null): boolean {
  const { active } = session;
  return active !== null && active !== target && active.link.queue.shown > 0;
}

/** Sends a message of the client's on a link that is ready for it. */
export function send(
  session: SessionCore,
  target: SessionLink,
  expect: Expect,
  chunk: Buffer,
  at: number,
  end: number,
  watcher: { onDone(ok: boolean): void } | null = null,
  mark: Mark | null = null,
): void {
  if (target.link.lost) throw session.lostError(target.database);
  target.link.queue.push(expect, null, watcher, mark, session.arrivedAt);
  target.lastWasQuery = false;
  target.inPipeline = true;
  session.active = target;
  // Only what runs leaves something behind for lastval() and its like.
  if (expect === Expect.Bind || expect === Expect.Execute) {
    session.last = target;
    if (session.facts.strict && session.txStamp === 0) session.pipelineSnapshot ??= target;
  }
  session.forward(target, chunk, at, end);
}

/** Keeps a message until nothing is outstanding any more, then deals with it anew. */
export function later(
  session: SessionCore,
  chunk: Buffer,
  at: number,
  end: number,
  handle: (frame: Buffer) => Promise<void> | null | undefined,
): void {
  const frame = stableCopy(chunk, at, end);
  session.flushRun();
  session.block(
    session.activeAnswered().then(() => (session.skipping ? undefined : (handle(frame) ?? undefined))),
    false,
  );
}

/** The same for a message that goes to a link as it is, once that has been found and made ready. */
export function laterOn(
  session: SessionCore,
  chunk: Buffer,
  at: number,
  end: number,
  find: () => SessionLink | Promise<SessionLink>,
  writes: boolean,
  pass: (target: SessionLink, frame: Buffer) => Promise<void> | void,
): void {
  later(session, chunk, at, end, async (frame) => {
    const target = await find();
    await makeReady(session, target, writes);
    await pass(target, frame);
  });
}

export function sendParse(
  session: SessionCore,
  prepared: Prepared,
  target: SessionLink,
  chunk: Buffer,
  at: number,
  end: number,
): void {
  const watcher = rememberParse(session, prepared, target);
  const mark = markOf(session, prepared.plan, target.database, 'failure');
  if (!prepared.userTypes) return send(session, target, Expect.Parse, chunk, at, end, watcher, mark);
  const frame = parseFor(session, prepared, target);
  send(session, target, Expect.Parse, frame, 0, frame.length, watcher, mark);
}

/** @param prepared whose description it is; null: of a portal that is not known */
export function sendDescribe(
  session: SessionCore,
  prepared: Prepared | null,
  target: SessionLink,
  chunk: Buffer,
  at: number,
  end: number,
): void {
  const { describing } = session;
  const asked = { prepared, link: target };
  const watcher = {
    onDone: (ok: boolean): void => {
      const place = describing.indexOf(asked);
      if (!ok && place >= 0) describing.splice(place, 1);
    },
  };
  send(session, target, Expect.Describe, chunk, at, end, watcher);
  describing.push(asked);
}

export const utf8 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('utf8');

export const pipelineIsOpen = (session: SessionCore): boolean => {
  if (session.status !== IDLE) return false;
  for (const target of session.links.values()) if (target.inPipeline) return true;
  return false;
};
