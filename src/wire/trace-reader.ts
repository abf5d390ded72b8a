import { int16, int32, stringEnd, uint16, uint32 } from './bytes.js';

/** Most bytes of one value that are written, and most values of one message. */
const MAX_VALUE = 1024;
const MAX_VALUES = 200;
const SECRET = " '***'";

/**
 * Reads a message's body from left to right into the words of a trace line, secrets masked.
 * What does not lie whole in the body throws; trace.ts catches it.
 */
export class TraceReader {
  readonly words: string[] = [];
  private readonly buf: Buffer;
  private at: number;
  private readonly end: number;

  constructor(buf: Buffer, start: number, end: number) {
    this.buf = buf;
    this.at = start;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  write(word: string): void {
    this.words.push(word);
  }

  string(): void {
    const nul = stringEnd(this.buf, this.at, this.end);
    const shown = this.buf.toString('utf8', this.at, Math.min(nul, this.at + MAX_VALUE));
    this.write(` "${escapeControls(maskSql(shown))}"${nul - this.at > MAX_VALUE ? '...' : ''}`);
    this.at = nul + 1;
  }

  byte(): string {
    if (this.left < 1) throw new RangeError('no data left in message');
    const text = printable(this.buf, this.at, this.at + 1);
    this.at++;
    this.write(` ${text}`);
    return text;
  }

  int16(): number {
    const value = int16(this.buf, this.at, this.end);
    this.at += 2;
    this.write(` ${value}`);
    return value;
  }

  /** A count of what follows. */
  count(): number {
    const value = uint16(this.buf, this.at, this.end);
    this.at += 2;
    this.write(` ${value}`);
    return value;
  }

  int32(): number {
    const value = int32(this.buf, this.at, this.end);
    this.at += 4;
    this.write(` ${value}`);
    return value;
  }

  uint32(): number {
    const value = uint32(this.buf, this.at, this.end);
    this.at += 4;
    this.write(` ${value}`);
    return value;
  }

  bytes(length: number): void {
    if (length < 0 || length > this.left) throw new RangeError('insufficient data left in message');
    const shown = printable(this.buf, this.at, this.at + Math.min(length, MAX_VALUE));
    this.write(` '${maskVerifier(shown)}'${length > MAX_VALUE ? '...' : ''}`);
    this.at += length;
  }

  /** A value with its Int32 length before it, -1 for null. */
  value(): void {
    const length = this.int32();
    if (length !== -1) this.bytes(length);
  }

  secret(): void {
    this.at = this.end;
    this.write(SECRET);
  }

  times(count: number, item: () => void): void {
    for (let i = 0; i < count; i++) {
      if (i === MAX_VALUES) {
        this.write(' ...');
        this.at = this.end;
        return;
      }
      item();
    }
  }
}

/** Bytes as PQtrace shows them: ASCII as it is, others in hex. */
function printable(buf: Buffer, start: number, end: number): string {
  return buf.latin1Slice(start, end).replace(/[^\x20-\x7e]/g, hex);
}

/** A line must stay one line; text beyond ASCII may stay as it is. */
const escapeControls = (text: string): string => text.replace(/\p{Cc}/gu, hex);

const hex = (char: string): string => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;

/** Verifiers as they stand in pg_authid and userlists. */
const maskVerifier = (text: string): string => text.replace(/SCRAM-SHA-256\$[^\s'"]*|\bmd5[0-9a-f]{32}/gi, '***');

/** PASSWORD 'x' of CREATE/ALTER ROLE, password 'x' of user mappings, password=x in connection strings. */
const maskSql = (text: string): string =>
  maskVerifier(text)
    .replace(/(\bpassword\s+(?:[eu]&?)?)'(?:[^'\\]|''|\\[\s\S])*('|$)/gi, "$1'***'")
    .replace(/(\bpassword\s+)\$(\w*)\$[\s\S]*?(?:\$\2\$|$)/gi, "$1'***'")
    .replace(/(\bpassword\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s'"]+)/gi, '$1***');
