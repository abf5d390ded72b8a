import type { Link } from '../../backend/link.js';
import { stableCopy } from '../../net/slab.js';
import { B } from '../../wire/types.js';
import type { SessionCore } from '../session-core.js';

/** Type OIDs from here on are made by users, and differ between databases (FirstNormalObjectId). */
export const FIRST_USER_OID = 16384;
/** PostgreSQL's type `unknown`: what a client is told of a type that its home database does not have. */
const UNKNOWN_TYPE = 705;

/**
 * What a backend tells of a statement's parameters and columns. OIDs of user types are home's for the whole life of
 * the session: those of another database are put right in place, by name; one that home does not have is shown as
 * `unknown`, since home may have another type under that OID. What the client was told of a named
 * statement is kept, to be compared when the statement is prepared elsewhere.
 */
export function describe(
  session: SessionCore,
  link: Link,
  type: number,
  chunk: Buffer,
  start: number,
  end: number,
): void {
  if (type !== B.NoData && link.database !== session.homeName)
    translate(session, link.database, type, chunk, start, end);
  const head = session.describing[0];
  // A Query's RowDescription is nobody's.
  if (head === undefined || head.link.link !== link || !link.queue.headDescribes) return;
  const { prepared } = head;
  if (prepared !== null && prepared.name !== '') {
    prepared.description ??= { parameters: null, row: null };
    const told = prepared.description;
    if (type === B.ParameterDescription) told.parameters ??= stableCopy(chunk, start + 5, end);
    else if (type === B.RowDescription) told.row ??= stableCopy(chunk, start + 5, end);
  }
  if (type !== B.ParameterDescription) session.describing.shift();
}

function translate(
  session: SessionCore,
  database: string,
  type: number,
  chunk: Buffer,
  start: number,
  end: number,
): void {
  const { catalog } = session.traffic;
  if (catalog === null) return;
  const replace = (at: number): void => {
    const oid = chunk.readUInt32BE(at);
    if (oid < FIRST_USER_OID) return;
    const here = catalog.translateType?.(database, oid, session.homeName) ?? null;
    if (here !== null) chunk.writeUInt32BE(here, at);
    else chunk.writeUInt32BE(UNKNOWN_TYPE, at);
  };
  let at = start + 7;
  if (type === B.ParameterDescription) {
    for (; at + 4 <= end; at += 4) replace(at);
    return;
  }
  while (at < end) {
    at = chunk.indexOf(0, at) + 1;
    if (at === 0 || at + 18 > end) return;
    replace(at + 6);
    at += 18;
  }
}
