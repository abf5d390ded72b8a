import { isRecord } from '../../config/yaml-file.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { LineSplitter } from './line-splitter.js';
import type { LogClock } from './log-clock.js';
import { type LogEntry, type LogReader, type OnEntry, transactionOf } from './log-entry.js';

/** The first lines of a file may be the rest of one that was cut. */
const FIRST_TRIES = 100;

/** Reads jsonlog (PostgreSQL 15 and later): one object on each line, keys without a value left out. */
export class JsonLog implements LogReader {
  readonly #clock: LogClock;
  readonly #onEntry: OnEntry;
  readonly #lines = new LineSplitter((line) => this.#line(line));
  #good = 0;
  damaged = 0;

  constructor(clock: LogClock, onEntry: OnEntry) {
    this.#clock = clock;
    this.#onEntry = onEntry;
  }

  push(chunk: Buffer): void {
    this.#lines.push(chunk);
  }

  end(): void {
    this.#lines.end();
    if (this.#good === 0 && this.damaged > 0) throw this.#notThis();
  }

  #line(line: Buffer): void {
    const value = parse(line);
    const entry = value === null ? null : this.#entryOf(value);
    if (entry !== null) {
      this.#good += 1;
      this.#onEntry(entry);
      return;
    }
    if (line.length === 0) return;
    this.damaged += 1;
    if (this.#good === 0 && this.damaged === FIRST_TRIES) throw this.#notThis();
  }

  #notThis(): PgfigError {
    return new PgfigError(
      'FILE_UNREADABLE',
      `line ${this.#lines.count}: not jsonlog, of which each line is an object with the keys timestamp, error_severity and message`,
      { hint: 'Give files that Postgres has written with log_destination = csvlog or jsonlog.' },
    );
  }

  #entryOf(value: Readonly<Record<string, unknown>>): LogEntry | null {
    const text = (key: string): string => (typeof value[key] === 'string' ? value[key] : '');
    const bytes = (key: string): Buffer | null => (text(key) === '' ? null : Buffer.from(text(key)));
    if (text('error_severity') === '') return null;
    const written = Buffer.from(text('timestamp'), 'latin1');
    const time = this.#clock.read(written, 0, written.length, () => [text('session_start'), text('session_id')]);
    if (Number.isNaN(time)) return null;
    return {
      time,
      session: text('session_id'),
      user: text('user'),
      database: text('dbname'),
      application: text('application_name'),
      address: text('remote_host'),
      tag: text('ps'),
      transaction: transactionOf(text('vxid')),
      severity: text('error_severity'),
      sqlstate: text('state_code') === '' ? '00000' : text('state_code'),
      backend: text('backend_type'),
      message: Buffer.from(text('message')),
      detail: bytes('detail'),
      query: bytes('statement'),
    };
  }
}

function parse(line: Buffer): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line.toString('utf8'));
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}
