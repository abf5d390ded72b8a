import { isBlank, NAME_BYTE } from './lexical.js';

/**
 * What `fold` needs to leave out of a VALUES list the tuples that are alike, so that bulk INSERTs of any number of
 * rows have one short key. It works on the key as it is written: `VALUES (1,''),(1,''),(1,NULL)` becomes
 * `VALUES (1,''),(1,NULL)`. Tuples are alike when their keys are, byte by byte but for the numbers of parameters.
 *
 * Why that changes nothing (gram.y): a list is `VALUES '(' expr_list ')'` and any number of `',' '(' expr_list ')'`,
 * and what may follow does not depend on how many there were; a tuple that stands there twice touches nothing that it
 * does not touch once. So all that matters is to be sure that it is a list:
 *
 *  - VALUES may be the name of a column, table or operator class as well. What then may follow in brackets is a list
 *    of names or labels, which may be any words; an element of the list's first tuple must begin with something else.
 *  - Behind INTO and AS it is the name of an INSERT's target, and what follows in brackets may be its query.
 *  - Behind a point it is a name, and may be a function's.
 *  - MERGE ... INSERT VALUES takes one tuple only: a text that has the word MERGE is left as it is.
 *
 * The state below is that of the one `fold` that runs.
 */

/** No depth: not in a list. Every depth is at most this, so that `depth <= list` holds when there is none. */
export const NO_LIST = Number.MAX_SAFE_INTEGER;

/** Kinds of tuples of a list that are told apart; those of a kind beyond them stay in the key. */
const KINDS = 8;
/** Where in the key the first tuple of each kind begins and ends. */
const starts = new Int32Array(KINDS);
const ends = new Int32Array(KINDS);
let kinds = 0;
/** Where the tuple that is being read begins; the one before it, or the word VALUES, ends. */
let tupleStart = 0;
let lastEnd = 0;
let isFirst = true;
let isSure = false;

/** The word VALUES ends here. */
export function startList(at: number): void {
  lastEnd = at;
  kinds = 0;
  isFirst = true;
  isSure = true;
}

/** Whether VALUES, from here on in the key, can only be the keyword: at the beginning, or behind a bracket or a name. */
export function mayStartList(key: Uint8Array, start: number): boolean {
  let at = start - 1;
  while (at >= 0 && isBlank(key[at])) at -= 1;
  if (at < 0) return true;
  const byte = key[at] as number;
  if (byte === OPEN || byte === CLOSE || byte === DOUBLE_QUOTE) return true;
  const last = at;
  while (at >= 0 && NAME_BYTE[key[at] as number] !== 0) at -= 1;
  return last > at && !isWord(key, at + 1, last + 1, 'as') && !isWord(key, at + 1, last + 1, 'into');
}

/** Whether the bracket that comes next in the key opens a tuple of the list: behind VALUES or a comma. */
export function startsTuple(key: Uint8Array, length: number): boolean {
  if (!isSure) return false;
  let commas = 0;
  for (let at = lastEnd; at < length; at += 1) {
    if (key[at] === COMMA) commas += 1;
    else if (!isBlank(key[at])) return false;
  }
  tupleStart = length;
  return commas === (isFirst ? 0 : 1);
}

/** A tuple ends here. @returns the key's length without it, if the list has one like it */
export function endTuple(key: Uint8Array, length: number): number {
  if (isFirst) {
    isFirst = false;
    isSure = isNoListOfNames(key, tupleStart, length);
  }
  for (let kind = 0; kind < kinds; kind += 1) {
    if (areAlike(key, starts[kind] as number, ends[kind] as number, tupleStart, length)) return lastEnd;
  }
  if (kinds < KINDS) {
    starts[kinds] = tupleStart;
    ends[kinds] = length;
    kinds += 1;
  }
  lastEnd = length;
  return length;
}

const OPEN = 0x28;
const CLOSE = 0x29;
const COMMA = 0x2c;
const QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const DOLLAR = 0x24;

/**
 * Whether some element of the tuple begins as no name does: with a literal, a parameter, a sign or a bracket, or is a
 * call. Elements begin behind the tuple's own bracket and its commas.
 */
function isNoListOfNames(key: Uint8Array, start: number, end: number): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = start; at < end; at += 1) {
    const byte = key[at];
    if (byte === DOUBLE_QUOTE) quoted = !quoted;
    else if (quoted) continue;
    else if (byte === OPEN) depth += 1;
    else if (byte === CLOSE) depth -= 1;
    if ((byte === OPEN || byte === COMMA) && depth === 1 && beginsNoName(key, at + 1)) return true;
  }
  return false;
}

function beginsNoName(key: Uint8Array, start: number): boolean {
  let at = start;
  while (isBlank(key[at])) at += 1;
  const first = key[at] as number;
  // 1, '', $1, +, -, .1 or a bracket
  if (first === 0x31 || first === QUOTE || first === DOLLAR || first === OPEN) return true;
  if (first === 0x2b || first === 0x2d || first === 0x2e) return key[at + 1] !== 0x2d;
  if (NAME_BYTE[first] !== 1) return false;
  const from = at;
  while (NAME_BYTE[key[at] as number] !== 0) at += 1;
  // f( or E''
  return key[at] === OPEN || (key[at] === QUOTE && at - from === 1);
}

/** Parameters are $ and digits where no name is under way; of more than nine digits they may be too large to exist. */
function areAlike(key: Uint8Array, one: number, oneEnd: number, other: number, otherEnd: number): boolean {
  let a = one;
  let b = other;
  let quoted = false;
  while (a < oneEnd && b < otherEnd) {
    const byte = key[a] as number;
    if (byte !== key[b]) return false;
    a += 1;
    b += 1;
    if (byte === DOUBLE_QUOTE) quoted = !quoted;
    else if (byte === DOLLAR && !quoted && NAME_BYTE[key[a - 2] as number] === 0) {
      const [fromA, fromB] = [a, b];
      while (isDigit(key[a])) a += 1;
      while (isDigit(key[b])) b += 1;
      if ((a === fromA) !== (b === fromB) || b - fromB > 9 || a - fromA > 9) return false;
    }
  }
  return a === oneEnd && b === otherEnd;
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;

function isWord(buf: Uint8Array, start: number, end: number, word: string): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i += 1) if (((buf[start + i] as number) | 0x20) !== word.charCodeAt(i)) return false;
  return true;
}

export const isValues = (buf: Uint8Array, start: number, end: number): boolean => isWord(buf, start, end, 'values');
export const isMerge = (buf: Uint8Array, start: number, end: number): boolean => isWord(buf, start, end, 'merge');
