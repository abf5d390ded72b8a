import type { FunctionFacts } from '../../routing/catalog-view.js';
import type { Body, FunctionName } from '../../sql/statement.js';
import { NOTHING, namedTouches, type OidNames } from './resolved-touches.js';
import type { RowList } from './row-list.js';
import type { BodyRow, FunctionRow, FunctionRows } from './rows.js';
import { lowerBound } from './sorted.js';

const INERT: Body = Object.freeze({ ...NOTHING, sets: Object.freeze([]) });
const NONE: readonly FunctionFacts[] = Object.freeze([]);

/** Finds functions by name and by OID. Facts are made when asked for, and kept. */
export class FunctionIndex {
  readonly #rows: FunctionRows;
  readonly #bodies: RowList<BodyRow>;
  readonly #names: OidNames;
  readonly #facts = new Map<number, FunctionFacts>();
  #bySchema: Map<string, Map<string, number[]>> | null = null;

  /** @param names what bodies that are told by OID are named by */
  constructor(rows: FunctionRows, bodies: RowList<BodyRow>, names: OidNames) {
    this.#rows = rows;
    this.#bodies = bodies;
    this.#names = names;
  }

  /** All of that name, whatever their arguments. */
  named(schema: string, name: string): readonly FunctionFacts[] {
    const places = this.#index().get(schema)?.get(name);
    return places === undefined ? NONE : places.map((place) => this.#factsAt(place));
  }

  *all(): Generator<FunctionFacts> {
    for (let place = 0; place < this.#rows.rows.length; place += 1) yield this.#factsAt(place);
  }

  /** Its name; null where it touches nothing, or is not known. */
  callable(oid: number): FunctionName | null {
    const { rows, schemas } = this.#rows;
    const place = lowerBound(rows.length, (at) => rows[at]?.[0] ?? 0, oid);
    const row = rows[place];
    if (row === undefined || row[0] !== oid || row[BODY] === 0) return null;
    return { schema: schemas[row[1]] ?? '', name: row[2] };
  }

  #index(): Map<string, Map<string, number[]>> {
    if (this.#bySchema !== null) return this.#bySchema;
    const bySchema = new Map<string, Map<string, number[]>>();
    for (const [place, [, schemaAt, name]] of this.#rows.rows.entries()) {
      const schema = this.#rows.schemas[schemaAt] ?? '';
      const names = bySchema.get(schema) ?? new Map<string, number[]>();
      bySchema.set(schema, names);
      const places = names.get(name);
      if (places === undefined) names.set(name, [place]);
      else places.push(place);
    }
    this.#bySchema = bySchema;
    return bySchema;
  }

  #factsAt(place: number): FunctionFacts {
    let facts = this.#facts.get(place);
    if (facts === undefined) {
      facts = this.#make(this.#rows.rows[place]);
      this.#facts.set(place, facts);
    }
    return facts;
  }

  #make(row: FunctionRow | undefined): FunctionFacts {
    if (row === undefined) throw new Error('unreachable: no such function');
    const [, schema, name, volatility, body, searchPath] = row;
    const bodyRow = body === 0 ? undefined : this.#bodies.at(body);
    return Object.freeze({
      schema: this.#rows.schemas[schema] ?? '',
      name,
      body: bodyRow === undefined ? INERT : this.#body(bodyRow),
      searchPath,
      volatile: volatility === 1,
      ...(volatility === 2 && { immutable: true }),
    });
  }

  #body({ oids, sets = [], opaque, ...written }: BodyRow): Body {
    if (oids !== undefined) return Object.freeze({ ...namedTouches(oids, this.#names), sets });
    return Object.freeze({ ...NOTHING, ...written, opaque: opaque ?? null, sets });
  }
}

/** Place of `body` in a FunctionRow. */
const BODY = 4;
