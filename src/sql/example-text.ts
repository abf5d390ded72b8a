import { isBlank, NAME_BYTE } from './lexical.js';

/** Most characters of an example, '...' at the end of a longer one among them. */
const LONGEST = 500;
const MORE = '...';
/** Bytes that are kept at most: more than LONGEST characters of four bytes each. */
const ROOM = 2048;

/** A bracket that is open. */
interface Bracket {
  /** Where the bracket itself stands. */
  readonly at: number;
  readonly kind: 'in' | 'row' | 'other';
  /** Of an IN list, the element before and the one that is being written: where they begin, and where the first ends. */
  before: number;
  beforeEnd: number;
  element: number;
  /** Of a VALUES list within it: the row before, and whether one may follow. */
  row: number;
  rowEnd: number;
  expects: 'nothing' | 'row' | 'comma';
}

/**
 * A statement's example as it is written, token by token: white space is one blank, what repeats in IN lists and VALUES
 * lists is there once, and what is too long is cut.
 */
export class ExampleText {
  readonly #out = Buffer.allocUnsafe(ROOM);
  readonly #brackets: Bracket[] = [newBracket(0, 'other')];
  #length = 0;
  #blank = false;
  #word: 'in' | 'values' | null = null;
  /** What comes now is behind the end of what is shown. */
  #full = false;

  /** Blanks, or a comment. */
  blank(): void {
    this.#blank = true;
  }

  /** A token as it stands in [from, to) of `buf`. */
  token(buf: Uint8Array, from: number, to: number): void {
    if (this.#full) return;
    this.#endRows();
    this.#copy(buf, from, to);
    this.#word = wordOf(buf, from, to);
    if (this.#word === 'values') this.#top().expects = 'row';
  }

  /** A literal, of which nothing is shown. */
  literal(): void {
    if (this.#full) return;
    // DATE'2020-01-01' would read as a name with a question mark.
    if (NAME_BYTE[this.#out[this.#length - 1] ?? 0] !== 0 && this.#length > 0) this.#blank = true;
    this.#endRows();
    this.#copy(PLACE, 0, 1);
    this.#word = null;
  }

  open(): void {
    if (this.#full) return;
    const kind = this.#top().expects === 'row' ? 'row' : this.#word === 'in' ? 'in' : 'other';
    if (kind !== 'row') this.#endRows();
    this.#copy(OPEN, 0, 1);
    this.#word = null;
    this.#brackets.push(newBracket(this.#length - 1, kind));
  }

  close(): void {
    if (this.#full) return;
    const bracket = this.#brackets.length > 1 ? this.#brackets.pop() : undefined;
    if (bracket?.kind === 'in') this.#endElement(bracket);
    this.#copy(CLOSE, 0, 1);
    this.#word = null;
    if (bracket?.kind === 'row' && !this.#full) this.#endRow(bracket, this.#top());
  }

  comma(): void {
    if (this.#full) return;
    const top = this.#top();
    if (top.kind === 'in') this.#endElement(top);
    top.expects = top.expects === 'comma' ? 'row' : 'nothing';
    this.#copy(COMMA, 0, 1);
    this.#word = null;
    top.element = this.#length;
  }

  /** All of it, without the semicolon at its end. */
  toString(): string {
    let end = this.#length;
    while (end > 0 && (this.#out[end - 1] === SEMICOLON || isBlank(this.#out[end - 1]))) end -= 1;
    const text = this.#out.toString('utf8', 0, end);
    if (!this.#full && text.length <= LONGEST) return text;
    const cut = text.slice(0, LONGEST - MORE.length);
    // Half of a character that takes two units is none.
    return (/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut) + MORE;
  }

  #top(): Bracket {
    return this.#brackets[this.#brackets.length - 1] as Bracket;
  }

  #copy(buf: Uint8Array, from: number, to: number): void {
    if (this.#blank && this.#length > 0) this.#out[this.#length++] = BLANK;
    this.#blank = false;
    for (let at = from; at < to && this.#length < ROOM; at += 1) this.#out[this.#length++] = buf[at] as number;
    this.#full = this.#length >= ROOM;
  }

  #endRows(): void {
    this.#top().expects = 'nothing';
  }

  #endRow({ at }: Bracket, list: Bracket): void {
    list.expects = 'comma';
    if (list.row >= 0 && this.#alike(list.row, list.rowEnd, at, this.#length)) {
      this.#length = list.rowEnd;
      return;
    }
    list.row = at;
    list.rowEnd = this.#length;
  }

  #endElement(list: Bracket): void {
    if (list.before >= 0 && this.#alike(list.before, list.beforeEnd, list.element, this.#length)) {
      this.#length = list.beforeEnd;
      return;
    }
    list.before = list.element;
    list.beforeEnd = this.#length;
  }

  /** Whether the same is written in both places, but for the numbers of parameters. */
  #alike(one: number, oneEnd: number, other: number, otherEnd: number): boolean {
    const out = this.#out;
    let a = one;
    let b = other;
    while (out[a] === BLANK && a < oneEnd) a += 1;
    while (out[b] === BLANK && b < otherEnd) b += 1;
    while (a < oneEnd && b < otherEnd) {
      if (out[a] !== out[b]) return false;
      const isParameter = out[a] === DOLLAR;
      a += 1;
      b += 1;
      if (!isParameter) continue;
      while (a < oneEnd && isDigit(out[a])) a += 1;
      while (b < otherEnd && isDigit(out[b])) b += 1;
    }
    return a === oneEnd && b === otherEnd;
  }
}

const newBracket = (at: number, kind: Bracket['kind']): Bracket => ({
  at,
  kind,
  before: -1,
  beforeEnd: -1,
  element: at + 1,
  row: -1,
  rowEnd: -1,
  expects: 'nothing',
});

function wordOf(buf: Uint8Array, from: number, to: number): 'in' | 'values' | null {
  const length = to - from;
  if (length !== 2 && length !== 6) return null;
  const word = Buffer.from(buf.buffer, buf.byteOffset + from, length)
    .toString('latin1')
    .toLowerCase();
  return word === 'in' || word === 'values' ? word : null;
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;

const PLACE = Buffer.from('?');
const OPEN = Buffer.from('(');
const CLOSE = Buffer.from(')');
const COMMA = Buffer.from(',');
const BLANK = 0x20;
const DOLLAR = 0x24;
const SEMICOLON = 0x3b;
