import type { RelationRef } from '../../routing/catalog-view.js';
import type { RelationColumns } from './rows.js';
import { lowerBound } from './sorted.js';

/** Finds relations by name and by OID. Places are those of the columns. */
export class NameIndex {
  readonly columns: RelationColumns;
  readonly #bySchema = new Map<string, Map<string, number>>();

  constructor(columns: RelationColumns) {
    this.columns = columns;
    const { names, schemaOf } = columns;
    const maps = columns.schemas.map((schema) => {
      const map = new Map<string, number>();
      this.#bySchema.set(schema, map);
      return map;
    });
    for (let place = 0; place < names.length; place += 1) {
      maps[schemaOf[place] ?? 0]?.set(names[place] ?? '', place);
    }
  }

  place(schema: string, name: string): number | undefined {
    return this.#bySchema.get(schema)?.get(name);
  }

  placeOfOid(oid: number): number | undefined {
    const { oids } = this.columns;
    const place = lowerBound(oids.length, (at) => oids[at] ?? 0, oid);
    return oids[place] === oid ? place : undefined;
  }

  oid(place: number): number {
    return this.columns.oids[place] ?? 0;
  }

  /** pg_class.relkind */
  kind(place: number): string {
    return this.columns.kinds[place] ?? 'r';
  }

  ref(place: number): RelationRef {
    const { schemas, schemaOf, names } = this.columns;
    return { schema: schemas[schemaOf[place] ?? 0] ?? '', name: names[place] ?? '' };
  }
}

const indexes = new WeakMap<RelationColumns, NameIndex>();

/** Built once for the same columns. */
export function nameIndexOf(columns: RelationColumns): NameIndex {
  let index = indexes.get(columns);
  if (index === undefined) {
    index = new NameIndex(columns);
    indexes.set(columns, index);
  }
  return index;
}
