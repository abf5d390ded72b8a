import { Interned } from './interned.js';
import type { RawPair, RawRelation } from './raw-rows.js';
import type { LinkRows, RelationColumns } from './rows.js';

/** Rows in the order of their OIDs, as columns. */
export function relationColumns(rows: readonly RawRelation[]): RelationColumns {
  const schemas = new Interned();
  const columns = { oids: [] as number[], schemaOf: [] as number[], names: [] as string[] };
  let kinds = '';
  for (const [oid, schema, name, kind] of rows) {
    columns.oids.push(oid);
    columns.schemaOf.push(schemas.place(schema));
    columns.names.push(name);
    kinds += kind;
  }
  return { schemas: schemas.values, ...columns, kinds };
}

/** Pairs in the order of their first. */
export function linkRows(owners: readonly RawPair[], inherits: readonly RawPair[]): LinkRows {
  const children = inherits.map(([child, parent]): RawPair => [parent, child]).sort((a, b) => a[0] - b[0]);
  return { owners: owners.flat(), parents: inherits.flat(), children: children.flat() };
}
