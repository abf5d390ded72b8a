import { PgfigError } from '../../errors/pgfig-error.js';
import { LinePrefix, type PrefixFields } from './line-prefix.js';
import { LineSplitter } from './line-splitter.js';
import type { LogClock } from './log-clock.js';
import { addressOf, type LogReader, type OnEntry, transactionOf } from './log-entry.js';

/** Lines that belong to the entry before them (elog.c, send_message_to_server_log). */
const PARTS: ReadonlySet<string> = new Set([
  'DETAIL',
  'HINT',
  'QUERY',
  'CONTEXT',
  'LOCATION',
  'STATEMENT',
  'BACKTRACE',
]);

/** The first lines of a file may be the rest of an entry of the file before. */
const FIRST_TRIES = 100;

interface Unfinished {
  readonly fields: PrefixFields;
  readonly severity: string;
  readonly message: string[];
  readonly detail: string[];
  readonly query: string[];
}

/** Reads the log that Postgres writes to stderr or syslog's place, with a prefix before each message. */
export class PlainLog implements LogReader {
  readonly #prefix: LinePrefix;
  readonly #clock: LogClock;
  readonly #onEntry: OnEntry;
  readonly #lines = new LineSplitter((line) => this.#line(line.toString('utf8')));
  #entry: Unfinished | null = null;
  /** Where lines that go on belong to. */
  #part: string[] = [];
  #good = 0;
  damaged = 0;

  /** @param linePrefix the server's log_line_prefix */
  constructor(linePrefix: string, clock: LogClock, onEntry: OnEntry) {
    this.#prefix = new LinePrefix(linePrefix);
    this.#clock = clock;
    this.#onEntry = onEntry;
  }

  push(chunk: Buffer): void {
    this.#lines.push(chunk);
  }

  end(): void {
    this.#lines.end();
    this.#finish();
    if (this.#good === 0 && this.damaged > 0) throw this.#notThis();
  }

  #line(line: string): void {
    // Postgres writes the further lines of a message with a tab before them (append_with_tabs).
    if (line.startsWith('\t')) {
      this.#part.push(line.slice(1));
      return;
    }
    const found = this.#prefix.match(line);
    if (found === null) {
      if (line === '') return;
      this.damaged += 1;
      if (this.#good === 0 && this.damaged === FIRST_TRIES) throw this.#notThis();
      return;
    }
    this.#good += 1;
    if (!PARTS.has(found.severity)) this.#finish();
    this.#begin(found.severity, found.rest, found.fields);
  }

  #begin(severity: string, rest: string, fields: PrefixFields): void {
    if (!PARTS.has(severity)) {
      this.#part = [rest];
      this.#entry = { fields, severity, message: this.#part, detail: [], query: [] };
      return;
    }
    this.#part =
      severity === 'DETAIL' ? (this.#entry?.detail ?? []) : severity === 'STATEMENT' ? (this.#entry?.query ?? []) : [];
    this.#part.push(rest);
  }

  #finish(): void {
    const entry = this.#entry;
    this.#entry = null;
    this.#part = [];
    if (entry === null) return;
    const { fields, severity, message, detail, query } = entry;
    this.#onEntry({
      time: this.#timeOf(fields),
      session: fields.session,
      user: fields.user,
      database: fields.database,
      application: fields.application,
      address: addressOf(fields.address),
      tag: fields.tag,
      transaction: transactionOf(fields.transaction),
      severity,
      sqlstate: fields.sqlstate,
      backend: fields.backend,
      message: bytesOf(message),
      detail: detail.length === 0 ? null : bytesOf(detail),
      query: query.length === 0 ? null : bytesOf(query),
    });
  }

  #timeOf({ time, epoch, session, sessionStart }: PrefixFields): number {
    if (epoch !== '') return Number(epoch) * 1000;
    const text = Buffer.from(time, 'latin1');
    const hasSession = sessionStart !== '' && session.includes('.');
    return this.#clock.read(text, 0, text.length, () => (hasSession ? [sessionStart, session] : null));
  }

  #notThis(): PgfigError {
    return new PgfigError(
      'FILE_UNREADABLE',
      `line ${this.#lines.count}: no line before it begins as --line-prefix says`,
      {
        hint: 'Give the value of log_line_prefix with which this log was written (SHOW log_line_prefix), blanks included.',
      },
    );
  }
}

const bytesOf = (lines: readonly string[]): Buffer => Buffer.from(lines.join('\n'));
