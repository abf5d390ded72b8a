/**
 * Names whose presence makes literals mean something: functions and types that take a relation, a setting, a
 * channel or SQL as text. A text that holds one is never folded.
 */
const EXACT = new Set([
  'set_config',
  'nextval',
  'setval',
  'currval',
  'regclass',
  'loread',
  'lowrite',
  'ts_stat',
  'ts_rewrite',
  'has_table_privilege',
  'has_column_privilege',
  'has_any_column_privilege',
  'has_sequence_privilege',
]);

/** pg_ covers pg_advisory_lock, pg_notify, pg_relation_size and all of the catalog: rare on a hot path. */
const PREFIX = [
  'pg_',
  'to_reg',
  'lo_',
  'dblink',
  'query_to_xml',
  'table_to_xml',
  'cursor_to_xml',
  'schema_to_xml',
  'database_to_xml',
];

const SHORTEST = 5;

/** By the low five bits of the first three bytes (the same for both cases): whether to look closer. */
const LOOK_CLOSER = new Uint8Array(1 << 15);
for (const name of [...EXACT, ...PREFIX]) {
  LOOK_CLOSER[slot(name.charCodeAt(0), name.charCodeAt(1), name.charCodeAt(2))] = 1;
}

function slot(a: number, b: number, c: number): number {
  return ((a & 31) << 10) | ((b & 31) << 5) | (c & 31);
}

/** Whether the name at [start, end) is a telling one. Quoted names are checked in their lower case too: harmless. */
export function isTellingName(buf: Uint8Array, start: number, end: number): boolean {
  if (end - start < SHORTEST) return false;
  if (LOOK_CLOSER[slot(buf[start] ?? 0, buf[start + 1] ?? 0, buf[start + 2] ?? 0)] === 0) return false;
  const name = Buffer.from(buf.buffer, buf.byteOffset + start, end - start)
    .toString('latin1')
    .toLowerCase();
  return EXACT.has(name) || PREFIX.some((prefix) => name.startsWith(prefix));
}

const FOLDABLE = new Set(['select', 'insert', 'update', 'delete', 'merge', 'with', 'values', 'table']);
const FIRST_LETTER = new Uint8Array(32);
for (const word of FOLDABLE) FIRST_LETTER[word.charCodeAt(0) & 31] = 1;

/** Whether a statement that begins with this word may be folded. */
export function isFoldableVerb(buf: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length < 4 || length > 6 || FIRST_LETTER[(buf[start] ?? 0) & 31] === 0) return false;
  for (const word of FOLDABLE) if (word.length === length && sameLetters(buf, start, word)) return true;
  return false;
}

function sameLetters(buf: Uint8Array, start: number, word: string): boolean {
  for (let i = 0; i < word.length; i += 1) if (((buf[start + i] ?? 0) | 0x20) !== word.charCodeAt(i)) return false;
  return true;
}
