import { PgfigError } from '../../errors/pgfig-error.js';
import type { LogClock } from './log-clock.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** More fields than any layout has; what is beyond them is counted, and not kept. */
const MOST_FIELDS = 64;
const FIRST_ROOM = 512 * 1024;
/** A longer record is none: a quote was lost, and the rest of the file hangs on it. Statements have 1 GB at most. */
const LONGEST_RECORD = 256 * 1024 * 1024;

/**
 * Splits CSV as Postgres writes it (write_csvlog): quoted fields with doubled quotes and line breaks in them. Bytes go
 * in, in chunks of any size; records come out by a callback. Nothing is copied or decoded of a field that nobody asks
 * for: that is what makes it quick (docs/decisions/0005).
 */
export class CsvFields {
  /** Fields of the record. */
  count = 0;
  /** Its first line, counted from 1. */
  line = 1;
  readonly #onRecord: (record: CsvFields) => void;
  /** Where each field begins and ends, without its quotes; whether quotes are doubled in it. */
  readonly #starts = new Int32Array(MOST_FIELDS);
  readonly #ends = new Int32Array(MOST_FIELDS);
  readonly #doubled = new Uint8Array(MOST_FIELDS);
  /** What each field said when it was last read. */
  readonly #texts: string[] = [];
  #bytes = Buffer.allocUnsafeSlow(FIRST_ROOM);
  #length = 0;
  #linesRead = 0;
  /** A record that was not whole is looked at again when this much is there: each byte a few times, however long it is. */
  #enough = 0;

  /** @param onRecord may read the fields until it returns */
  constructor(onRecord: (record: CsvFields) => void) {
    this.#onRecord = onRecord;
  }

  /** @throws PgfigError FILE_UNREADABLE where a record does not end */
  push(chunk: Buffer): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#bytes.length) this.#grow(needed);
    chunk.copy(this.#bytes, this.#length);
    this.#length = needed;
    if (needed >= this.#enough) this.#records(false);
  }

  /** There is no more. @returns whether the last record was whole */
  end(): boolean {
    this.#records(true);
    return this.#length === 0;
  }

  /** The bytes of a field; empty where the record has none at that place. Those with quotes in them are copied. */
  bytes(field: number): Buffer {
    const start = this.#starts[field] as number;
    const end = field < this.count ? (this.#ends[field] as number) : start;
    if (this.#doubled[field] === 0) return this.#bytes.subarray(start, end);
    const copy = Buffer.allocUnsafe(end - start);
    let length = 0;
    for (let at = start; at < end; at += 1) {
      const byte = this.#bytes[at] as number;
      copy[length++] = byte;
      if (byte === QUOTE) at += 1;
    }
    return copy.subarray(0, length);
  }

  text(field: number): string {
    const start = this.#starts[field] as number;
    const end = field < this.count ? (this.#ends[field] as number) : start;
    if (start === end) return '';
    const last = this.#texts[field];
    if (last !== undefined && this.#reads(last, start, end)) return last;
    const text =
      this.#doubled[field] === 0 ? this.#bytes.toString('utf8', start, end) : this.bytes(field).toString('utf8');
    this.#texts[field] = text;
    return text;
  }

  /** Whether the bytes are this text, which must be ASCII: most fields say what they said in the record before. */
  #reads(text: string, start: number, end: number): boolean {
    if (text.length !== end - start) return false;
    for (let i = 0; i < text.length; i += 1) if (this.#bytes[start + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  /** The time in a field. */
  time(field: number, clock: LogClock, learn: () => readonly [string, string] | null): number {
    const start = this.#starts[field] as number;
    return clock.read(this.#bytes, start, this.#ends[field] as number, learn);
  }

  isEmpty(field: number): boolean {
    return field >= this.count || this.#starts[field] === this.#ends[field];
  }

  #grow(needed: number): void {
    if (needed > LONGEST_RECORD) {
      throw new PgfigError(
        'FILE_UNREADABLE',
        `line ${this.#linesRead + 1}: the entry does not end; a quote is missing`,
        {
          hint: 'The file may have been cut or put together from parts. Leave out the part from this line on.',
        },
      );
    }
    const more = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(more, 0, 0, this.#length);
    this.#bytes = more;
  }

  #records(isLast: boolean): void {
    let at = 0;
    while (at < this.#length) {
      const next = this.#record(at, isLast);
      if (next < 0) break;
      at = next;
    }
    if (at > 0) {
      this.#bytes.copyWithin(0, at, this.#length);
      this.#length -= at;
    }
    this.#enough = this.#length < FIRST_ROOM ? 0 : 2 * this.#length;
  }

  /** Behind the record that begins at `start`, once it was handed out; -1 where its end is not there yet. */
  #record(start: number, isLast: boolean): number {
    const bytes = this.#bytes;
    const length = this.#length;
    let at = start;
    let lines = 1;
    let count = 0;
    for (;;) {
      let from = at;
      let to = at;
      let doubled = 0;
      let byte = at < length ? (bytes[at] as number) : -1;
      if (byte === QUOTE) {
        from = ++at;
        for (;;) {
          if (at >= length) return -1;
          byte = bytes[at] as number;
          if (byte === NEWLINE) lines += 1;
          else if (byte === QUOTE) {
            // Whether it is doubled, the next byte says.
            if (at + 1 >= length && !isLast) return -1;
            if (bytes[at + 1] !== QUOTE || at + 1 >= length) break;
            doubled = 1;
            at += 1;
          }
          at += 1;
        }
        to = at++;
        byte = at < length ? (bytes[at] as number) : -1;
        if (byte === RETURN) byte = ++at < length ? (bytes[at] as number) : -1;
      } else {
        while (byte !== COMMA && byte !== NEWLINE && byte !== -1) byte = ++at < length ? (bytes[at] as number) : -1;
        to = byte === NEWLINE && at > from && bytes[at - 1] === RETURN ? at - 1 : at;
      }
      if (count < MOST_FIELDS) {
        this.#starts[count] = from;
        this.#ends[count] = to;
        this.#doubled[count] = doubled;
      }
      count += 1;
      if (byte === COMMA) {
        at += 1;
        continue;
      }
      if (byte === -1 && !isLast) return -1;
      // Text behind a closing quote: not CSV. Its line is given up, and counted by how many fields it has.
      while (byte !== NEWLINE && byte !== -1) byte = ++at < length ? (bytes[at] as number) : -1;
      if (byte === -1 && !isLast) return -1;
      this.count = count;
      this.line = this.#linesRead + 1;
      this.#linesRead += lines;
      const behind = byte === -1 ? length : at + 1;
      if (count > 1 || from < to) this.#onRecord(this);
      return behind;
    }
  }
}
