import type { Hidden } from '../../backend/reply-queue.js';
import { Expect } from '../../backend/reply-queue.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { decodeCommandTag, decodeDataRow, decodeErrorFields, type ErrorFields } from '../../wire/decode.js';
import { bind, closePortal, closeStatement, execute, flush, parse, query, sync } from '../../wire/frontend-messages.js';
import { B } from '../../wire/types.js';
import type { SessionLink } from '../session-link.js';

/**
 * Statements of pgfig's own on a client's link. They go by reserved names through the extended protocol, never
 * as a simple Query or by the unnamed statement: these would destroy the client's unnamed statement, and a
 * simple Query within a pipeline ends the implicit transaction.
 */
const STATEMENT = 'pgfig_once';
const PORTAL = 'pgfig';

/** Parse, Bind, Execute, and two times Close. */
const MESSAGES = 5;

const NOTHING: Hidden = {};
const CLOSE_BOTH = Buffer.concat([closePortal(PORTAL), closeStatement(STATEMENT)]);
const RUN_PORTAL = execute(PORTAL, 0);

/** Replies to one injected statement: its rows, or its error. */
export class Injection implements Hidden {
  readonly rows: (string | null)[][] = [];
  error: ErrorFields | null = null;
  /** Command tag of the answer. */
  tag = '';
  /** Its messages that are not answered yet, nor skipped. */
  #open = MESSAGES;
  readonly #target: SessionLink;
  readonly #onFailure: ((error: ErrorFields) => void) | null;

  constructor(target: SessionLink, onFailure: ((error: ErrorFields) => void) | null) {
    this.#target = target;
    this.#onFailure = onFailure;
  }

  /** It was carried out, refused or skipped. */
  get over(): boolean {
    return this.#open === 0;
  }

  onDone(): void {
    this.#open--;
  }

  onMessage(type: number, chunk: Buffer, start: number, end: number): void {
    if (type === B.DataRow) this.rows.push(decodeDataRow(chunk, start, end));
    if (type === B.CommandComplete) this.tag = decodeCommandTag(chunk, start, end);
    if (type === B.ErrorResponse && this.error === null) {
      this.error = decodeErrorFields(chunk, start, end);
      // The messages that would have closed them were skipped.
      this.#target.injectionLeft = true;
      this.#onFailure?.(this.error);
    }
  }
}

/**
 * BEGIN is put in front of the first statement of every transaction: its messages are made once. It is not kept
 * prepared, since the client would find it in pg_prepared_statements.
 */
const BEGIN = Buffer.concat([parse(STATEMENT, 'BEGIN'), bind(PORTAL, STATEMENT), RUN_PORTAL, CLOSE_BOTH]);

/**
 * Puts a statement in front of what is sent next on the link: held back until then, its replies swallowed.
 * `onFailure` is told at once when the backend refuses it; everything behind it is then skipped by the backend.
 */
export function inject(
  target: SessionLink,
  sql: string,
  values: readonly (string | null)[] = [],
  onFailure: ((error: ErrorFields) => void) | null = null,
): Injection {
  const injection = new Injection(target, onFailure);
  const { link } = target;
  if (target.injectionLeft) {
    target.injectionLeft = false;
    link.hold(CLOSE_BOTH);
    link.queue.push(Expect.Close, NOTHING);
    link.queue.push(Expect.Close, NOTHING);
  }
  link.hold(
    sql === 'BEGIN'
      ? BEGIN
      : Buffer.concat([parse(STATEMENT, sql), bind(PORTAL, STATEMENT, values), RUN_PORTAL, CLOSE_BOTH]),
  );
  link.queue.push(Expect.Parse, injection);
  link.queue.push(Expect.Bind, injection);
  link.queue.push(Expect.Execute, injection);
  link.queue.push(Expect.Close, injection);
  link.queue.push(Expect.Close, injection);
  return injection;
}

/**
 * Sends a hidden simple Query: only for what the client sent as one itself, which has done away with its unnamed
 * statement anyway.
 */
export function injectQuery(target: SessionLink, sql: string, onFailure: (error: ErrorFields) => void): void {
  target.link.queue.push(Expect.Query, new Injection(target, onFailure));
  target.link.send(query(sql));
}

/** Ends what was injected with a Sync whose ReadyForQuery is swallowed, and sends it off. */
export function injectSync(target: SessionLink): void {
  target.link.queue.push(Expect.Sync, NOTHING);
  target.link.queue.needsSync = false;
  target.inPipeline = false;
  target.link.send(sync);
}

/** Makes the backend answer what was injected, without ending the implicit transaction. */
export function injectFlush(target: SessionLink): void {
  target.link.send(flush);
}

/** What a backend has answered, as an error to be thrown. */
export const asRaised = (fields: ErrorFields): PgfigError =>
  new PgfigError('BACKEND_ANSWERED', fields.message, {
    sqlstate: fields.code,
    ...(fields.detail === undefined ? {} : { detail: fields.detail }),
    ...(fields.hint === undefined ? {} : { hint: fields.hint }),
  });

/** @throws PgfigError for an injected statement that the backend refused */
export function expectSuccess(injection: Injection, database: string, what: string): Injection {
  if (injection.error !== null) {
    // A time-out or cancel that hit it is the client's own.
    throw new PgfigError('BACKEND_ANSWERED', injection.error.message, {
      sqlstate: injection.error.code,
      detail: `pgfig was ${what} on database "${database}".`,
    });
  }
  return injection;
}
