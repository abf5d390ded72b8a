/**
 * Names whose presence makes literals mean something: functions and types that take a relation, a setting, a
 * channel or SQL as text. A text that holds one is never folded.
 */
const EXACT = [
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
];

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

interface TellingName {
  readonly name: string;
  /** Whether names that only begin with it are meant too. */
  readonly isPrefix: boolean;
}

/** The telling names by their first three letters: GROUP_OF_SLOT leads to a list of NAMES, 0 to none. */
const GROUP_OF_SLOT = new Uint8Array(1 << 15);
const NAMES: TellingName[][] = [[]];
for (const name of EXACT) add({ name, isPrefix: false });
for (const name of PREFIX) add({ name, isPrefix: true });

function add(telling: TellingName): void {
  const { name } = telling;
  const at = slot(name.charCodeAt(0), name.charCodeAt(1), name.charCodeAt(2));
  const group = NAMES[GROUP_OF_SLOT[at] ?? 0];
  if (GROUP_OF_SLOT[at] !== 0) group?.push(telling);
  else GROUP_OF_SLOT[at] = NAMES.push([telling]) - 1;
}

/** By the low five bits of each byte, the same for both cases of a letter. */
function slot(a: number, b: number, c: number): number {
  return ((a & 31) << 10) | ((b & 31) << 5) | (c & 31);
}

/** Whether the name at [start, end) is a telling one, in either case: for names in quotes that is harmless. */
export function isTellingName(buf: Uint8Array, start: number, end: number): boolean {
  if (end - start < SHORTEST) return false;
  const group = GROUP_OF_SLOT[slot(buf[start] as number, buf[start + 1] as number, buf[start + 2] as number)] as number;
  return group !== 0 && isOneOf(NAMES[group] ?? [], buf, start, end - start);
}

function isOneOf(group: readonly TellingName[], buf: Uint8Array, start: number, length: number): boolean {
  for (const { name, isPrefix } of group) {
    if (length === name.length || (isPrefix && length > name.length)) {
      if (sameName(buf, start, name)) return true;
    }
  }
  return false;
}

/** `name` is in lower case and may hold underscores, which have no other case. */
function sameName(buf: Uint8Array, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i += 1) {
    const byte = buf[start + i] as number;
    if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== name.charCodeAt(i)) return false;
  }
  return true;
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
