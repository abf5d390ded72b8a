const IDENTIFIER = /^(?:"((?:[^"]|"")+)"|([A-Za-z_\u0080-\uFFFF][A-Za-z0-9_$\u0080-\uFFFF]*))/;
const MAX_BYTES = 63;

/**
 * The one text for a table, key of every map of tables: 'schema.table'. A part that holds a dot or a quote is
 * quoted, so that `"a.b".c` and `a."b.c"` stay two tables.
 */
export function tableKey(schema: string, name: string): string {
  return `${part(schema)}.${part(name)}`;
}

/** The parts of a key that `tableKey` made. */
export function splitKey(key: string): { readonly schema: string; readonly name: string } {
  const parts = [...key.matchAll(/"((?:[^"]|"")*)"|[^."]+/g)].map(
    ([bare, quoted]) => quoted?.replaceAll('""', '"') ?? bare,
  );
  return { schema: parts[0] ?? '', name: parts[1] ?? '' };
}

const part = (name: string): string => (/[."]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);

/**
 * Reads `schema.table` as Postgres reads it: folded to lower case (ASCII letters, as in every multi-byte encoding)
 * unless quoted. PostgreSQL documentation, 4.1.1.
 *
 * @returns the parts, or what is wrong with the text.
 */
export function parseTableName(text: string): { readonly schema: string; readonly name: string } | string {
  const schema = takeIdentifier(text.trim());
  if (schema === null) return bad(text);
  if (schema.rest === '') {
    return `table ${JSON.stringify(text)} has no schema. Write it with one, e.g. public.${text.trim()}`;
  }
  const name = schema.rest.startsWith('.') ? takeIdentifier(schema.rest.slice(1)) : null;
  if (name === null || name.rest !== '') return bad(text);
  for (const { identifier } of [schema, name]) {
    if (Buffer.byteLength(identifier) > MAX_BYTES) {
      return `table ${JSON.stringify(text)} has a name of more than ${MAX_BYTES} bytes. Write it as Postgres stores it, cut to ${MAX_BYTES}`;
    }
  }
  if (isSystemSchema(schema.identifier) || schema.identifier === 'pgfig') {
    return `table ${JSON.stringify(text)} is in schema ${schema.identifier}, which each database has for itself. Remove it`;
  }
  return { schema: schema.identifier, name: name.identifier };
}

/** pg_catalog, pg_toast, pg_temp ... and information_schema: every database has its own. */
export function isSystemSchema(schema: string): boolean {
  return schema.startsWith('pg_') || schema === 'information_schema';
}

function bad(text: string): string {
  return `${JSON.stringify(text)} is not a table name. Write schema.table, with names in double quotes where SQL needs them`;
}

function takeIdentifier(text: string): { identifier: string; rest: string } | null {
  const match = IDENTIFIER.exec(text);
  if (match === null) return null;
  const [whole, quoted, bare = ''] = match;
  const identifier = quoted?.replaceAll('""', '"') ?? bare.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return { identifier, rest: text.slice(whole.length) };
}
