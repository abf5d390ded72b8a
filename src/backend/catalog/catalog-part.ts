import type {
  ForeignKey,
  HiddenWork,
  RelationFacts,
  RelationKind,
  RelationRef,
  UnsteadyFact,
} from '../../routing/catalog-view.js';
import type { FunctionName } from '../../sql/statement.js';
import { foreignKeyOf, foreignKeyWork } from './foreign-keys.js';
import { FunctionIndex } from './function-index.js';
import { type NameIndex, nameIndexOf } from './name-index.js';
import { namedTouches, type OidNames, touchesNothing } from './resolved-touches.js';
import { type TypeRow, type UnsteadyRow, WORK_BITS, type WorkRow } from './rows.js';
import type { Sections } from './section.js';
import { pairedWith } from './sorted.js';

/** By pg_class.relkind. */
const KINDS: Readonly<Record<string, RelationKind>> = {
  r: 'table',
  p: 'partitioned',
  v: 'view',
  m: 'materialized-view',
  f: 'foreign-table',
  S: 'sequence',
  i: 'index',
  I: 'index',
};

/** What is known of one database. Whatever is made of its sections is made when somebody asks for it. */
export class CatalogPart implements OidNames {
  readonly sections: Sections;
  readonly #facts = new Map<number, RelationFacts>();
  #functions: FunctionIndex | null = null;
  #schemas: ReadonlySet<string> | null = null;
  #types: TypeIndex | null = null;

  constructor(sections: Sections) {
    this.sections = sections;
  }

  /** Tables, views, sequences ...; not their indexes. */
  get relationCount(): number {
    return this.sections.relations.value.kinds.replaceAll(/i/gi, '').length;
  }

  get schemas(): ReadonlySet<string> {
    this.#schemas ??= new Set(this.sections.settings.value.schemas);
    return this.#schemas;
  }

  get types(): TypeIndex {
    this.#types ??= new TypeIndex(this.sections.types.value);
    return this.#types;
  }

  get functions(): FunctionIndex {
    this.#functions ??= new FunctionIndex(this.sections.functions.value, this.sections.bodies.value, this);
    return this.#functions;
  }

  /** pg_class.relkind, or null where there is no such relation. */
  kindOf(schema: string, name: string): string | null {
    const place = this.#names.place(schema, name);
    return place === undefined ? null : this.#names.kind(place);
  }

  facts(schema: string, name: string): RelationFacts | null {
    const place = this.#names.place(schema, name);
    return place === undefined ? null : this.#factsAt(place);
  }

  /** All but indexes and tables of which nothing but their existence is to be said. */
  *allFacts(): Generator<readonly [RelationRef, RelationFacts]> {
    const names = this.#names;
    for (let place = 0; place < names.columns.oids.length; place += 1) {
      // PostgreSQL's own views have OIDs from 1 to 16383.
      if (KINDS[names.kind(place)] === 'index' || names.oid(place) < 16_384) continue;
      const facts = this.#factsAt(place);
      if (saysMore(facts)) yield [names.ref(place), facts];
    }
  }

  /** Tables of users, also partitioned and foreign ones, and views; not what is part of another. */
  *roots(): Generator<readonly [RelationRef, RelationKind]> {
    const names = this.#names;
    for (let place = 0; place < names.columns.oids.length; place += 1) {
      const kind = KINDS[names.kind(place)];
      if (kind === undefined || kind === 'index' || kind === 'sequence' || names.oid(place) < 16_384) continue;
      if (this.#factsAt(place).parents.length === 0) yield [names.ref(place), kind];
    }
  }

  /** Sequences from which the columns of several tables draw, with these tables. */
  sharedSequences(): readonly (readonly [RelationRef, readonly RelationRef[]])[] {
    const { shared } = this.sections.links.value;
    const oids = new Set(shared.filter((_oid, at) => at % 2 === 0));
    return [...oids].flatMap((oid) => {
      const sequence = this.relation(oid);
      return sequence === null ? [] : [[sequence, this.#refs(pairedWith(shared, oid))] as const];
    });
  }

  foreignKeys(): readonly ForeignKey[] {
    return this.sections.foreignKeys.value.all().flatMap((row) => {
      const references = this.relation(row[0]);
      const table = this.relation(row[1]);
      return row[4] === 0 || references === null || table === null ? [] : [foreignKeyOf(row, table, references)];
    });
  }

  relation(oid: number): RelationRef | null {
    const place = this.#names.placeOfOid(oid);
    return place === undefined ? null : this.#names.ref(place);
  }

  isSequence(oid: number): boolean {
    const place = this.#names.placeOfOid(oid);
    return place !== undefined && this.#names.kind(place) === 'S';
  }

  callable(oid: number): FunctionName | null {
    return this.functions.callable(oid);
  }

  get #names(): NameIndex {
    return nameIndexOf(this.sections.relations.value);
  }

  #factsAt(place: number): RelationFacts {
    let facts = this.#facts.get(place);
    if (facts === undefined) {
      facts = this.#make(this.#names.oid(place), KINDS[this.#names.kind(place)] ?? 'table');
      this.#facts.set(place, facts);
    }
    return facts;
  }

  #make(oid: number, kind: RelationKind): RelationFacts {
    const { links, views } = this.sections;
    const [view] = views.value.of(oid);
    const unsteady = this.sections.unsteady.value.of(oid).map(unsteadyFact);
    const [key] = this.sections.keys.value.of(oid);
    const [owner] = this.#refs(pairedWith(links.value.owners, oid));
    return Object.freeze({
      kind,
      owner: owner ?? null,
      parents: this.#refs(pairedWith(links.value.parents, oid)),
      children: this.#refs(pairedWith(links.value.children, oid)),
      definition: view === undefined ? null : namedTouches(view[2], this),
      updates: view === undefined ? null : this.relation(view[1]),
      hidden: [...this.#works(oid), ...this.#keys(oid)],
      ...(unsteady.length > 0 && { unsteady }),
      ...(key !== undefined && { key: key[1].map(([column, place]) => ({ column, place })) }),
    });
  }

  #refs(oids: readonly number[]): readonly RelationRef[] {
    return oids.map((oid) => this.relation(oid)).filter((ref) => ref !== null);
  }

  #works(oid: number): readonly HiddenWork[] {
    return this.sections.works.value
      .of(oid)
      .map((row) => this.#work(row))
      .filter(({ instead, touches }) => instead || !touchesNothing(touches));
  }

  #work([, what, bits, columns, instead, touched]: WorkRow): HiddenWork {
    const on = ACCESSES.filter((access) => (bits & WORK_BITS[access]) !== 0);
    return { what, on, columns, instead: instead === 1, touches: namedTouches(touched, this) };
  }

  #keys(oid: number): readonly HiddenWork[] {
    return this.sections.foreignKeys.value.of(oid).flatMap((row) => {
      const table = this.relation(row[1]);
      return table === null ? [] : foreignKeyWork(row, table);
    });
  }
}

const ACCESSES = ['read', 'insert', 'update', 'delete', 'truncate'] as const;

/** Bits of pg_trigger.tgtype (catalog/pg_trigger.h). */
const TRIGGER_BITS = { insert: 4, update: 16, delete: 8, truncate: 32 } as const;
const CHANGES = ['insert', 'update', 'delete', 'truncate'] as const;

function unsteadyFact([, sort, name, number, what]: UnsteadyRow): UnsteadyFact {
  if (sort === 'default') return { sort, column: name, place: number, what };
  return { sort, name, on: CHANGES.filter((op) => (number & TRIGGER_BITS[op]) !== 0) };
}

function saysMore({ owner, parents, children, definition, hidden }: RelationFacts): boolean {
  return owner !== null || definition !== null || parents.length + children.length + hidden.length > 0;
}

/** Types by OID and by name. */
class TypeIndex {
  readonly rows: readonly TypeRow[];
  readonly hasNested: boolean;
  readonly #names: ReadonlyMap<string, number>;
  readonly #byOid: ReadonlyMap<number, TypeRow>;

  constructor(rows: readonly TypeRow[]) {
    this.rows = rows;
    this.hasNested = rows.some(isNested);
    this.#byOid = new Map(rows.map((row) => [row[0], row]));
    this.#names = new Map(rows.map(([oid, schema, name]) => [typeKey(schema, name), oid]));
  }

  /** Composites and arrays of user types: their binary values hold type OIDs, which differ between databases. */
  nested(oid: number): string | null {
    const type = this.#byOid.get(oid);
    return type !== undefined && isNested(type) ? `${type[1]}.${type[2]}` : null;
  }

  /** By schema and name; null where `other` has no counterpart. */
  translate(oid: number, other: TypeIndex): number | null {
    const type = this.#byOid.get(oid);
    return type === undefined ? null : (other.#names.get(typeKey(type[1], type[2])) ?? null);
  }
}

/** NUL cannot occur in a name. */
const typeKey = (schema: string, name: string): string => `${schema}\0${name}`;

/** An array's name begins with an underscore (PostgreSQL documentation, CREATE TYPE, array types). */
const isNested = ([, , name, kind]: TypeRow): boolean => kind === 'c' || (kind === 'b' && name.startsWith('_'));
