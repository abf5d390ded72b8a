import { Expect, type Watcher } from '../../backend/reply-queue.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { stableCopy } from '../../net/slab.js';
import { type CachedStatement, Reading } from '../../sql/statement-cache.js';
import {
  type ColumnDescription,
  decodeErrorFields,
  decodeParameterDescription,
  decodeRowDescription,
  type ErrorFields,
} from '../../wire/decode.js';
import { closeStatement, describeStatement } from '../../wire/frontend-messages.js';
import { B } from '../../wire/types.js';
import { lookUp, planFor } from '../plan/reading.js';
import { planOf, type TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import { inject, injectFlush, injectSync } from '../transaction/injection.js';
import { FIRST_USER_OID } from './descriptions.js';
import type { Description, Prepared } from './prepared.js';

/**
 * Reads a Parse message; its name must be free in the one namespace over all links, and is taken when it is sent.
 * @param known what its text says, when that had to be waited for
 * @returns what to wait for, where the text is read off the event loop
 * @throws PgfigError DUPLICATE_STATEMENT
 */
export function parsed(
  session: SessionCore,
  chunk: Buffer,
  at: number,
  end: number,
  known: CachedStatement<TextPlan> | null = null,
): Prepared | Reading<TextPlan> {
  let nameEnd = at + 5;
  while (nameEnd < end && chunk[nameEnd] !== 0) nameEnd++;
  const name = nameEnd === at + 5 ? '' : chunk.latin1Slice(at + 5, nameEnd);
  if (name !== '' && session.names.has(name)) {
    throw new PgfigError('DUPLICATE_STATEMENT', `prepared statement "${Buffer.from(name, 'latin1')}" already exists`);
  }
  let textEnd = nameEnd + 1;
  while (textEnd < end && chunk[textEnd] !== 0) textEnd++;
  if (textEnd >= end) throw new PgfigError('PROTOCOL_VIOLATION_IN_QUERY', 'invalid string in message');
  const cached = known ?? lookUp(session, chunk, nameEnd + 1, textEnd + 1);
  if (cached instanceof Reading) return cached;
  const plan = planFor(session, cached);
  const prepared: Prepared = {
    name,
    parse: stableCopy(chunk, at, end),
    userTypes: hasUserTypes(chunk, textEnd + 1, end),
    sqlLevel: null,
    cached,
    plan,
    on: null,
    description: null,
  };
  if (name === '') session.names.delete('');
  return prepared;
}

function hasUserTypes(chunk: Buffer, at: number, end: number): boolean {
  for (let i = at + 2; i + 4 <= end; i += 4) if (chunk.readUInt32BE(i) >= FIRST_USER_OID) return true;
  return false;
}

/**
 * The Parse message for a link: OIDs of user types are home's in what the client says, and the link's own in what its
 * backend is told.
 * @throws PgfigError TYPE_DIFFERS for a type that the database does not have
 */
export function parseFor(session: SessionCore, prepared: Prepared, target: SessionLink): Buffer {
  if (!prepared.userTypes || target.database === session.homeName) return prepared.parse;
  const translated = Buffer.from(prepared.parse);
  const textEnd = translated.indexOf(0, translated.indexOf(0, 5) + 1);
  for (let at = textEnd + 3; at + 4 <= translated.length; at += 4) {
    const oid = translated.readUInt32BE(at);
    if (oid < FIRST_USER_OID) continue;
    const there = session.traffic.catalog?.translateType?.(session.homeName, oid, target.database) ?? null;
    if (there === null) {
      throw new PgfigError(
        'TYPE_DIFFERS',
        `the type with OID ${oid} of database "${session.homeName}" has no counterpart in database "${target.database}"`,
        { hint: 'Create a type with the same schema and name there; `pgfig check` lists those that are missing.' },
      );
    }
    translated.writeUInt32BE(there, at);
  }
  return translated;
}

/** The statement stands on the link once its Parse is answered; until then it is taken for granted. */
export function rememberParse(session: SessionCore, prepared: Prepared, target: SessionLink): Watcher | null {
  prepared.on = target;
  session.names.set(prepared.name, prepared);
  target.statements.set(prepared.name, prepared);
  if (prepared.name === '') return null;
  if (target.stale.delete(prepared.name)) {
    target.link.hold(closeStatement(prepared.name));
    target.link.queue.push(Expect.Close, {});
  }
  return {
    onDone: (ok) => {
      if (ok) return;
      if (session.names.get(prepared.name) === prepared) session.names.delete(prepared.name);
      if (target.statements.get(prepared.name) === prepared) target.statements.delete(prepared.name);
    },
  };
}

/** New rules: the statement's plan is made again. */
export function followRules(session: SessionCore, prepared: Prepared): void {
  if (session.generation !== session.traffic.generation) session.refreshContext();
  if (prepared.plan.context === session.context) return;
  prepared.plan = planOf(prepared.cached, session.context, session.traffic.counters);
}

/**
 * Prepares a statement on a link where it does not stand yet, unseen by the client. Where the client was told what
 * it takes and gives, the other database must say the same.
 * @throws PgfigError CACHED_PLAN_CHANGED, which drivers know as "prepare it again"
 */
export async function ensurePrepared(session: SessionCore, prepared: Prepared, target: SessionLink): Promise<void> {
  prepared.on = target;
  if (target.statements.get(prepared.name) === prepared) return;
  if (prepared.sqlLevel !== null) return prepareBySql(session, prepared, prepared.sqlLevel, target);
  const told = prepared.description;
  const now: Description = { parameters: null, row: null };
  let failure: ErrorFields | null = null;
  const hidden = {
    onMessage: (type: number, chunk: Buffer, start: number, end: number): void => {
      if (type === B.ParameterDescription) now.parameters = stableCopy(chunk, start, end);
      if (type === B.RowDescription) now.row = stableCopy(chunk, start, end);
      if (type === B.ErrorResponse) failure = decodeErrorFields(chunk, start, end);
    },
  };
  const { link } = target;
  if (target.stale.delete(prepared.name)) {
    link.hold(closeStatement(prepared.name));
    link.queue.push(Expect.Close, {});
  }
  link.hold(parseFor(session, prepared, target));
  link.queue.push(Expect.Parse, hidden);
  if (told !== null) {
    link.hold(describeStatement(prepared.name));
    link.queue.push(Expect.Describe, hidden);
  }
  if (session.tx === null && target.inPipeline) injectFlush(target);
  else injectSync(target);
  await session.drained(target);
  if (failure !== null) throw refused(failure, target.database);
  if (told === null || same(told, now)) target.statements.set(prepared.name, prepared);
  else {
    // It stands there, and must be out of the way when the client prepares it anew.
    target.stale.add(prepared.name);
    throw new PgfigError('CACHED_PLAN_CHANGED', 'cached plan must not change result type', {
      detail: `The statement now belongs to database "${target.database}", where its columns or parameters differ.`,
    });
  }
}

/** A statement of SQL-level PREPARE is made again by its own text. */
async function prepareBySql(session: SessionCore, prepared: Prepared, sql: string, target: SessionLink): Promise<void> {
  if (target.stale.delete(prepared.name)) {
    target.link.hold(closeStatement(prepared.name));
    target.link.queue.push(Expect.Close, {});
  }
  const again = inject(target, sql);
  if (session.tx === null && target.inPipeline) injectFlush(target);
  else injectSync(target);
  await session.drained(target);
  if (again.error !== null) throw refused(again.error, target.database);
  target.statements.set(prepared.name, prepared);
}

function refused(fields: ErrorFields, database: string): PgfigError {
  return new PgfigError('BACKEND_ANSWERED', fields.message, {
    sqlstate: fields.code,
    detail: `The statement was prepared again on database "${database}", where it now belongs.`,
  });
}

function same(told: Description, now: Description): boolean {
  const types = (body: Buffer | null): string =>
    body === null ? '' : decodeParameterDescription(body, 0, body.length).join(',');
  const alike = told.parameters === null || types(told.parameters) === types(now.parameters);
  return alike && columns(told.row) === columns(now.row);
}

/** Names and types; the table's OID and the column's number differ between databases and mean nothing to a client. */
function columns(body: Buffer | null): string {
  if (body === null) return '';
  return decodeRowDescription(body, 0, body.length)
    .map((column: ColumnDescription) => `${column.name}:${column.typeOid}`)
    .join(',');
}
