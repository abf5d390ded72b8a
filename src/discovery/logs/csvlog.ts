import { PgfigError } from '../../errors/pgfig-error.js';
import { CsvFields } from './csv-fields.js';
import type { LogClock } from './log-clock.js';
import { addressOf, type LogEntry, type LogReader, type OnEntry, transactionOf } from './log-entry.js';

/**
 * Fields of csvlog by their place, the same in all versions; later ones have more at the end (PostgreSQL
 * documentation, "Using CSV-Format Log Output").
 */
const TIME = 0;
const USER = 1;
const DATABASE = 2;
const CONNECTION = 4;
const SESSION = 5;
const TAG = 7;
const SESSION_START = 8;
const TRANSACTION = 9;
const SEVERITY = 11;
const SQLSTATE = 12;
const MESSAGE = 13;
const DETAIL = 14;
const QUERY = 19;
const APPLICATION = 22;
const BACKEND = 23;

/** PostgreSQL 12; 13, with backend_type; 14 to 18, with leader_pid and query_id. */
const LAYOUTS: readonly number[] = [23, 24, 26];
/** The first records of a file may be the rest of one that was cut. */
const FIRST_TRIES = 100;

/** Reads csvlog of PostgreSQL 12 to 18. */
export class CsvLog implements LogReader {
  readonly clock: LogClock;
  readonly #entry: CsvEntry;
  readonly #records: CsvFields;
  readonly #onEntry: OnEntry;
  #good = 0;
  damaged = 0;

  constructor(clock: LogClock, onEntry: OnEntry) {
    this.clock = clock;
    this.#onEntry = onEntry;
    this.#records = new CsvFields((record) => this.#take(record));
    this.#entry = new CsvEntry(this.#records, clock);
  }

  push(chunk: Buffer): void {
    this.#records.push(chunk);
  }

  end(): void {
    // A file that is still being written, or was cut.
    if (!this.#records.end()) this.damaged += 1;
    if (this.#good === 0 && this.damaged > 0) throw this.#notThis();
  }

  #take(record: CsvFields): void {
    if (LAYOUTS.includes(record.count) && this.#entry.readTime()) {
      this.#good += 1;
      this.#onEntry(this.#entry);
      return;
    }
    this.damaged += 1;
    if (this.#good === 0 && this.damaged === FIRST_TRIES) throw this.#notThis();
  }

  #notThis(): PgfigError {
    const { line, count } = this.#records;
    return new PgfigError(
      'FILE_UNREADABLE',
      `line ${line}: not csvlog of PostgreSQL 12 to 18, which has 23, 24 or 26 fields, the first of them a time; here are ${count}`,
      { hint: 'Give files that Postgres has written with log_destination = csvlog or jsonlog.' },
    );
  }
}

/** A view of the record that is being read: fields are decoded when they are asked for. */
class CsvEntry implements LogEntry {
  readonly #record: CsvFields;
  readonly #clock: LogClock;
  readonly #learn: () => readonly [string, string];
  time = 0;

  constructor(record: CsvFields, clock: LogClock) {
    this.#record = record;
    this.#clock = clock;
    this.#learn = () => [record.text(SESSION_START), record.text(SESSION)];
  }

  /** Whether it begins with a time. */
  readTime(): boolean {
    this.time = this.#record.time(TIME, this.#clock, this.#learn);
    return !Number.isNaN(this.time);
  }

  get session(): string {
    return this.#record.text(SESSION);
  }
  get user(): string {
    return this.#record.text(USER);
  }
  get database(): string {
    return this.#record.text(DATABASE);
  }
  get application(): string {
    return this.#record.text(APPLICATION);
  }
  get address(): string {
    return addressOf(this.#record.text(CONNECTION));
  }
  get tag(): string {
    return this.#record.text(TAG);
  }
  get transaction(): string {
    return transactionOf(this.#record.text(TRANSACTION));
  }
  get severity(): string {
    return this.#record.text(SEVERITY);
  }
  get sqlstate(): string {
    return this.#record.text(SQLSTATE);
  }
  get backend(): string {
    return this.#record.text(BACKEND);
  }
  get message(): Buffer {
    return this.#record.bytes(MESSAGE);
  }
  get detail(): Buffer | null {
    return this.#record.isEmpty(DETAIL) ? null : this.#record.bytes(DETAIL);
  }
  get query(): Buffer | null {
    return this.#record.isEmpty(QUERY) ? null : this.#record.bytes(QUERY);
  }
}
