import { Expect } from '../../backend/reply-queue.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { decodeBindNames, decodeRowDescription } from '../../wire/decode.js';
import { describeStatement } from '../../wire/frontend-messages.js';
import { B } from '../../wire/types.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { injectFlush, injectSync } from '../transaction/injection.js';
import { FIRST_USER_OID } from './descriptions.js';
import type { Prepared } from './prepared.js';

/**
 * Whether a Bind asks for any column in binary; `at` is where its parameter formats begin.
 * Bind: Int16 count, Int16 format*; Int16 count, (Int32 length, value)*; Int16 count, Int16 result format* (55.7).
 */
export function wantsBinary(chunk: Buffer, at: number, end: number): boolean {
  if (at + 2 > end) return false;
  let next = at + 2 + 2 * chunk.readUInt16BE(at);
  if (next + 2 > end) return false;
  const values = chunk.readUInt16BE(next);
  next += 2;
  for (let i = 0; i < values && next + 4 <= end; i++) next += 4 + Math.max(0, chunk.readInt32BE(next));
  if (next + 2 > end) return false;
  const formats = chunk.readUInt16BE(next);
  for (let i = 0; i < formats && next + 4 + 2 * i <= end; i++)
    if (chunk.readInt16BE(next + 2 + 2 * i) === 1) return true;
  return false;
}

/**
 * Binary values of composites and of arrays of user types carry type OIDs of their database, and DataRow is never
 * read: the client, which knows home's OIDs, would decode them wrongly without a word.
 * @throws PgfigError TYPE_DIFFERS
 */
export async function refuseNestedOids(
  session: SessionCore,
  prepared: Prepared,
  target: SessionLink,
  bind: Buffer,
): Promise<void> {
  if (!wantsBinary(bind, decodeBindNames(bind, 5, bind.length).end, bind.length)) return;
  let oids: number[] = [];
  target.link.hold(describeStatement(prepared.name));
  target.link.queue.push(Expect.Describe, {
    onMessage: (type, chunk, start, end) => {
      if (type === B.RowDescription) oids = decodeRowDescription(chunk, start, end).map(({ typeOid }) => typeOid);
    },
  });
  if (session.tx === null && target.inPipeline) injectFlush(target);
  else injectSync(target);
  await session.drained(target);
  for (const oid of oids) {
    const name = oid < FIRST_USER_OID ? null : (session.traffic.catalog?.nestedType?.(target.database, oid) ?? null);
    if (name === null) continue;
    throw new PgfigError(
      'TYPE_DIFFERS',
      `a value of type ${name} cannot be given in binary by database "${target.database}": it carries type OIDs that differ from those of "${session.homeName}"`,
      { hint: 'Ask for it in text format, or cast it to text.' },
    );
  }
}
