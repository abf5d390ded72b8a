import type { FunctionName, TableName } from './statement.js';
import { type TreeNode, textOf } from './tree.js';

/** NAMEDATALEN - 1: longer identifiers are cut, at a character's border. */
const NAME_BYTES = 63;

/** A RangeVar's name; the parser has folded and cut it. `inh` is absent where ONLY is written. */
export function tableOf(rangeVar: TreeNode): TableName {
  const name = textOf(rangeVar.relname);
  const schema = rangeVar.schemaname;
  const catalog = rangeVar.catalogname;
  const only = rangeVar.inh === true ? undefined : ({ only: true } as const);
  if (typeof schema !== 'string') return { name, ...only };
  return typeof catalog === 'string' ? { catalog, schema, name, ...only } : { schema, name, ...only };
}

/** `["catalog", "schema", "name"]`, the first two optional; null for anything longer or empty. */
export function tableOfParts(parts: readonly string[]): TableName | null {
  const [a, b, c] = parts;
  if (a === undefined || parts.length > 3) return null;
  if (b === undefined) return { name: a };
  return c === undefined ? { schema: a, name: b } : { catalog: a, schema: b, name: c };
}

export function functionOfParts(parts: readonly string[]): FunctionName {
  const name = parts.at(-1) ?? '';
  const schema = parts.at(-2);
  return schema === undefined ? { name } : { schema, name };
}

/** One string per name, for sets: a NUL cannot stand in a name. ONLY is not part of it: it names the same table. */
export function nameKey(name: TableName): string {
  return `${name.catalog ?? ''}\0${name.schema ?? ''}\0${name.name}`;
}

/**
 * A relation named in a string, as regclass input reads it: 'Shop."Order Items"'. Unquoted parts are folded
 * to lower case, all are cut to 63 bytes. null where it is no name (also for an OID in digits).
 */
export function tableOfText(text: string): TableName | null {
  const parts = splitNames(text, '.');
  if (parts === null || parts.length === 0) return null;
  return /^\s*[0-9]+\s*$/.test(text) ? null : tableOfParts(parts);
}

/**
 * A list of identifiers in a string as Postgres's SplitIdentifierString reads it (search_path in
 * set_config, names in regclass input); null where it is malformed; [] for a blank string.
 */
export function splitNames(text: string, separator: ',' | '.'): string[] | null {
  const names: string[] = [];
  const blank = /[ \t\n\r\f\v]*/y;
  const quoted = /"((?:[^"]|"")*)"/y;
  const bare = separator === '.' ? /[^\s".]+/y : /[^\s",]+/y;
  let at = skip(blank, text, 0);
  if (at === text.length) return names;
  for (;;) {
    quoted.lastIndex = at;
    bare.lastIndex = at;
    const inQuotes = quoted.exec(text);
    const plain = inQuotes === null ? bare.exec(text) : null;
    if (inQuotes !== null) {
      names.push(cutName((inQuotes[1] ?? '').replaceAll('""', '"')));
      at = skip(blank, text, quoted.lastIndex);
    } else if (plain !== null) {
      names.push(cutName(foldCase(plain[0])));
      at = skip(blank, text, bare.lastIndex);
    } else {
      return null;
    }
    if (at === text.length) return names;
    if (text[at] !== separator) return null;
    at = skip(blank, text, at + 1);
  }
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  pattern.test(text);
  return pattern.lastIndex;
}

/** downcase_identifier: ASCII only in multibyte encodings. */
function foldCase(name: string): string {
  return name.replace(/[A-Z]+/g, (run) => run.toLowerCase());
}

function cutName(name: string): string {
  const bytes = Buffer.from(name, 'utf8');
  if (bytes.length <= NAME_BYTES) return name;
  let end = NAME_BYTES;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
