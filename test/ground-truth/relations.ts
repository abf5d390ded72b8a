import type pg from 'pg';
import { tableKey } from '../../src/rules/table-name.js';

/** A relation as pg_class has it. */
export interface Relation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** 'schema.name'; of a temporary one 'pg_temp.name'. */
  readonly key: string;
  readonly kind: string;
  /** Table of an index or TOAST table, owner of a sequence. */
  readonly owner: number | null;
  /** What it inherits from, or is a partition of. */
  readonly parents: readonly number[];
  /** Tables that it refers to by a foreign key, and those that refer to it. */
  readonly keys: readonly number[];
  readonly system: boolean;
}

/** Every relation there is, system ones included, with what it belongs to. */
const READ = `
SELECT c.oid::int AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
  coalesce(i.indrelid, s.owner)::int AS owner, coalesce(h.parents, '{}') AS parents, coalesce(k.keys, '{}') AS keys
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
LEFT JOIN (SELECT objid, min(refobjid::int) AS owner FROM pg_catalog.pg_depend
  WHERE classid = 1259 AND refclassid = 1259 AND deptype IN ('a', 'i') AND objsubid = 0 AND refobjsubid > 0 GROUP BY objid) s
  ON s.objid = c.oid AND c.relkind = 'S'
LEFT JOIN (SELECT inhrelid, array_agg(inhparent::int) AS parents FROM pg_catalog.pg_inherits GROUP BY 1) h ON h.inhrelid = c.oid
LEFT JOIN (SELECT a, array_agg(b::int) AS keys FROM (
    SELECT conrelid AS a, confrelid AS b FROM pg_catalog.pg_constraint WHERE contype = 'f'
    UNION ALL SELECT confrelid, conrelid FROM pg_catalog.pg_constraint WHERE contype = 'f') both_ways GROUP BY 1) k ON k.a = c.oid
WHERE c.oid >= 16384`;

/** Those that initdb made are always the same. */
const READ_SYSTEM = `
SELECT c.oid::int AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind, NULL AS owner,
  '{}'::int[] AS parents, '{}'::int[] AS keys
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid < 16384`;

type Row = Omit<Relation, 'key' | 'system'>;

export class Relations {
  readonly #byOid = new Map<number, Relation>();
  readonly #byKey = new Map<string, Relation>();

  constructor(relations: readonly Relation[]) {
    for (const relation of relations) {
      this.#byOid.set(relation.oid, relation);
      this.#byKey.set(`${relation.schema}\0${relation.name}`, relation);
    }
  }

  /** @param system what an earlier reading found of the system's own */
  static async read(client: pg.Client, system?: Relations): Promise<Relations> {
    const own = await client.query<Row>(READ);
    const known = system?.systemOnes() ?? (await client.query<Row>(READ_SYSTEM)).rows.map(relationOf);
    return new Relations([...known, ...own.rows.map(relationOf)]);
  }

  systemOnes(): Relation[] {
    return [...this.#byOid.values()].filter(({ oid }) => oid < FIRST_OF_USERS);
  }

  get(oid: number): Relation | undefined {
    return this.#byOid.get(oid);
  }

  /** The relation that a name means: as Postgres looks along `current_schemas(true)`. */
  find(schema: string | undefined, name: string, path: readonly string[]): Relation | undefined {
    const temp = path.find((candidate) => candidate.startsWith('pg_temp')) ?? 'pg_temp';
    if (schema !== undefined) return this.#byKey.get(`${schema === 'pg_temp' ? temp : schema}\0${name}`);
    for (const candidate of path) {
      const found = this.#byKey.get(`${candidate}\0${name}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The table of an index or sequence, the parents of a partition or child, and so on up. */
  above(oid: number): Relation[] {
    const found: Relation[] = [];
    const open = [oid];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const relation = this.#byOid.get(at);
      if (relation === undefined) continue;
      found.push(relation);
      if (relation.owner !== null) open.push(relation.owner);
      open.push(...relation.parents);
    }
    return found;
  }

  /** Names of this session's temporary tables, views and sequences. */
  temporary(): string[] {
    return [...this.#byOid.values()].filter(({ schema }) => schema.startsWith('pg_temp')).map(({ name }) => name);
  }

  /** What inherits from a relation, and so on down; partitioned indexes too. */
  below(oid: number): Relation[] {
    const found: Relation[] = [];
    const open = [oid];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const relation of this.#byOid.values()) {
        if (!relation.parents.includes(at)) continue;
        found.push(relation);
        open.push(relation.oid);
      }
    }
    return found;
  }
}

const FIRST_OF_USERS = 16384;

function relationOf(row: Row): Relation {
  return {
    ...row,
    key: tableKey(row.schema.startsWith('pg_temp') ? 'pg_temp' : row.schema, row.name),
    system: /^(pg_catalog|information_schema|pg_toast.*)$/.test(row.schema),
  };
}
