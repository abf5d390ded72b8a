import type { Body } from '../../sql/statement.js';
import { identifierList } from './identifier-list.js';
import { Interned } from './interned.js';
import { isOpaqueFunction } from './opaque-extensions.js';
import type { RawFunction } from './raw-rows.js';
import { RowList } from './row-list.js';
import type { BodyRow, FunctionRow, FunctionRows } from './rows.js';

/** Schema of what pgfig itself installs: what it does there is no need of a statement. */
const OWN_SCHEMA = 'pgfig';
const NOT_READ: BodyRow = { opaque: 'its definition cannot be read', sets: ['*'] };

/** A body without what is empty. */
export function bodyRow(body: Body): BodyRow {
  return Object.fromEntries(
    Object.entries(body).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value !== null)),
  );
}

/** Rows in the order of their OIDs. @param bodies of functions in SQL and PL/pgSQL, by OID */
export function functionRows(
  rows: readonly RawFunction[],
  bodies: ReadonlyMap<number, BodyRow>,
): { readonly functions: FunctionRows; readonly bodies: RowList<BodyRow> } {
  const schemas = new Interned();
  // Equal bodies (those of a schema for each tenant, of opaque languages) are there once; the first touches nothing.
  const texts = new Interned();
  texts.place('{}');
  const made = rows.map((row): FunctionRow => {
    const [oid, , schema, name, , , volatility, searchPath] = row;
    const body = texts.place(JSON.stringify(bodyOf(row, bodies)));
    const path = searchPath === null ? null : identifierList(searchPath);
    return [oid, schemas.place(schema), name, volatility === 'v' ? 1 : volatility === 'i' ? 2 : 0, body, path];
  });
  const read = texts.values.map((text): BodyRow => JSON.parse(text));
  return { functions: { schemas: schemas.values, rows: made }, bodies: RowList.of(read) };
}

function bodyOf(row: RawFunction, bodies: ReadonlyMap<number, BodyRow>): BodyRow {
  const [oid, , schema, name, kind, language, , , extension, support] = row;
  if (schema === OWN_SCHEMA) return {};
  if (kind === 'a') return support === null ? {} : { oids: { functions: support } };
  switch (language) {
    case 'sql':
    case 'plpgsql':
      return bodies.get(oid) ?? NOT_READ;
    case 'internal':
      return {};
    case 'c':
      if (extension === null) return { opaque: 'language c', sets: ['*'] };
      return isOpaqueFunction(extension, name) ? { opaque: `extension ${extension}` } : {};
    default:
      return { opaque: `language ${language}`, sets: ['*'] };
  }
}
