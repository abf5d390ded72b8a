import { PgfigError } from '../../errors/pgfig-error.js';
import { type CachedStatement, Reading } from '../../sql/statement-cache.js';
import type { SessionCore } from '../session-core.js';
import { textOf } from './query-text.js';
import { planOf, type TextPlan } from './text-plan.js';

export type Found = CachedStatement<TextPlan> | Reading<TextPlan>;

/** What the cache knows of the text that begins at `start`; a Reading where it is read off the event loop. */
export function lookUp(session: SessionCore, chunk: Buffer, start: number, messageEnd: number): Found {
  const [text, from, to] = textOf(session, chunk, start, messageEnd);
  const scs = session.client.reported.get('standard_conforming_strings') !== 'off';
  return session.traffic.cache.get(text, from, to, scs);
}

/** The plan of a text by the newest rules that the session may take. */
export function planFor(session: SessionCore, cached: CachedStatement<TextPlan>): TextPlan {
  const { traffic } = session;
  if (session.generation !== traffic.generation) session.refreshContext();
  return planOf(cached, session.context, traffic.counters);
}

/**
 * Waits for a text that is read off the loop, and for the answers to everything before it: only then does a cancel
 * request mean this text. Other sessions go on meanwhile.
 * @param again looks the text up anew, for when a setting has changed how it reads
 * @returns null when the message is to be dropped: an error before it, or the session is over
 * @throws PgfigError CANCELED
 */
export async function whenRead(
  session: SessionCore,
  reading: Reading<TextPlan>,
  again: () => Found,
): Promise<CachedStatement<TextPlan> | null> {
  let current = reading;
  let read = false;
  try {
    const meant = meaning(session);
    await session.activeAnswered();
    if (session.skipping || session.closed) return null;
    if (meaning(session) !== meant) {
      current.abandon();
      const found = again();
      if (!(found instanceof Reading)) return found;
      current = found;
    }
    const cached = await orCanceled(session, current.done);
    read = true;
    return session.closed ? null : cached;
  } finally {
    if (!read) current.abandon();
  }
}

/** The settings that decide how the bytes of a text read. */
const meaning = ({ client }: SessionCore): string =>
  `${client.reported.get('standard_conforming_strings')} ${client.reported.get('client_encoding')}`;

async function orCanceled<T>(session: SessionCore, work: Promise<T>): Promise<T> {
  const controller = new AbortController();
  session.cancelWaiting = controller;
  const canceled = new Promise<never>((_resolve, reject) => {
    controller.signal.addEventListener('abort', () =>
      reject(new PgfigError('CANCELED', 'canceling statement due to user request')),
    );
  });
  try {
    return await Promise.race([work, canceled]);
  } finally {
    session.cancelWaiting = null;
  }
}
