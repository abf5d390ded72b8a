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

/** The verbs whose statements may be folded, by the low five bits of their first letter: no two share it. */
const VERB_BY_LETTER: readonly (string | undefined)[] = (() => {
  const verbs: (string | undefined)[] = new Array(32).fill(undefined);
  for (const verb of ['select', 'insert', 'update', 'delete', 'merge', 'with', 'values', 'table']) {
    verbs[verb.charCodeAt(0) & 31] = verb;
  }
  return verbs;
})();

/** Whether a statement that begins with the word at [start, end) may be folded. */
export function isFoldableVerb(buf: Uint8Array, start: number, end: number): boolean {
  const verb = VERB_BY_LETTER[(buf[start] ?? 0) & 31];
  if (verb === undefined || verb.length !== end - start) return false;
  for (let i = 0; i < verb.length; i += 1) if (((buf[start + i] ?? 0) | 0x20) !== verb.charCodeAt(i)) return false;
  return true;
}
