import { isBlank, NAME_BYTE } from './lexical.js';

/**
 * Numbers whose size the grammar itself looks at (gram.y's Iconst and opt_float): `varchar(3000000000)`,
 * `int[3000000000]` and `float(60)` are syntax errors, which those with a 1 instead are not.
 */
const TYPES_WITH_LENGTH: ReadonlySet<string> = new Set([
  ...['char', 'character', 'nchar', 'varchar', 'varying', 'float'],
  ...['time', 'timestamp', 'interval', 'second'],
]);

const OPEN = 0x28;
const SQUARE = 0x5b;

/**
 * Whether a number too large for an integer would be a syntax error here: it stands behind a square bracket, or a
 * round one that a type's name stands before. To be asked for numbers of ten digits and more.
 * @param key what was written before the number
 */
export function meansLength(key: Uint8Array, length: number): boolean {
  const bracket = before(key, length);
  if (bracket < 0) return false;
  if (key[bracket] === SQUARE) return true;
  if (key[bracket] !== OPEN) return false;
  const last = before(key, bracket);
  let first = last;
  while (first >= 0 && NAME_BYTE[key[first] as number] !== 0) first -= 1;
  return TYPES_WITH_LENGTH.has(
    Buffer.from(key.subarray(first + 1, last + 1))
      .toString('latin1')
      .toLowerCase(),
  );
}

/** The place of the last byte before `length` that is neither blank nor of an emptied comment; -1: there is none. */
function before(key: Uint8Array, length: number): number {
  let at = length - 1;
  while (at >= 0 && (isBlank(key[at]) || key[at] === 0x2d || key[at] === 0x2f || key[at] === 0x2a)) at -= 1;
  return at;
}

/** Whether the name at [start, nameEnd) is `float` with a precision behind it, or perhaps a comment and then one. */
export function isFloatWithPrecision(buf: Uint8Array, start: number, nameEnd: number, end: number): boolean {
  for (let i = 0; i < 5; i += 1) if (((buf[start + i] as number) | 0x20) !== 'float'.charCodeAt(i)) return false;
  let at = nameEnd;
  while (at < end && isBlank(buf[at])) at += 1;
  return at < end && (buf[at] === OPEN || buf[at] === 0x2d || buf[at] === 0x2f);
}
