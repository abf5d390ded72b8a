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

/**
 * Pairs in the order of their first. A sequence without an owner from which one table alone draws is taken to be that
 * table's: it is what `CREATE SEQUENCE` and `DEFAULT nextval(...)` are written for.
 */
export function linkRows(
  owners: readonly RawPair[],
  draws: readonly RawPair[],
  inherits: readonly RawPair[],
): LinkRows {
  const owned = new Set(owners.map(([oid]) => oid));
  const drawers = new Map<number, Set<number>>();
  for (const [sequence, table] of draws) {
    const tables = drawers.get(sequence) ?? new Set();
    drawers.set(sequence, tables.add(table));
  }
  const pairs = (wanted: (sequence: number, tables: number) => boolean): readonly RawPair[] =>
    [...drawers].flatMap(([sequence, tables]) =>
      wanted(sequence, tables.size) ? [...tables].map((table): RawPair => [sequence, table]) : [],
    );
  const sole = pairs((sequence, tables) => tables === 1 && !owned.has(sequence));
  const turned = inherits.map(([child, parent]): RawPair => [parent, child]);
  return {
    owners: inOrder([...owners, ...sole]),
    shared: inOrder(pairs((_sequence, tables) => tables > 1)),
    parents: inOrder(inherits),
    children: inOrder(turned),
  };
}

const inOrder = (pairs: readonly RawPair[]): readonly number[] => pairs.toSorted((a, b) => a[0] - b[0]).flat();
