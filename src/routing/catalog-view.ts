import type { Body, Touches } from '../sql/statement.js';

/** A relation by its full name. */
export interface RelationRef {
  readonly schema: string;
  readonly name: string;
}

export type RelationKind =
  | 'table'
  | 'partitioned'
  | 'view'
  | 'materialized-view'
  | 'foreign-table'
  | 'sequence'
  | 'index';

/** What a relation does that the statement does not show. */
export interface HiddenWork {
  /** For people: 'trigger log_order', 'rule r', 'policy p', 'foreign key fk (ON DELETE CASCADE)', 'default of column id'. */
  readonly what: string;
  readonly on: readonly ('read' | 'insert' | 'update' | 'delete' | 'truncate')[];
  /** With 'update': only where one of these columns is set; null: any. */
  readonly columns: readonly string[] | null;
  /** INSTEAD OF trigger, DO INSTEAD rule: the relation itself is not written. */
  readonly instead: boolean;
  readonly touches: Touches;
}

/**
 * What makes the same statement leave other rows in another database: a column whose default is computed anew for each
 * row (a serial's, an identity's, now()), or a trigger.
 */
export type UnsteadyFact =
  | {
      readonly sort: 'default';
      readonly column: string;
      /** Its place among the columns, from 1 on. */
      readonly place: number;
      /** 'identity', or the function: 'nextval()' */
      readonly what: string;
    }
  | {
      readonly sort: 'trigger';
      readonly name: string;
      readonly on: readonly ('insert' | 'update' | 'delete' | 'truncate')[];
    };

/** A relation as one database has it. */
export interface RelationFacts {
  readonly kind: RelationKind;
  /** The table that it is a part of: that of an index, the owner of a sequence. */
  readonly owner: RelationRef | null;
  /** What it inherits from, or is a partition of; direct ones. */
  readonly parents: readonly RelationRef[];
  /** Partitions and what inherits from it; direct ones. */
  readonly children: readonly RelationRef[];
  /** What reading it touches, for a view or materialized view; names are qualified. */
  readonly definition: Touches | null;
  /** The relation that a change of an automatically updatable view changes. */
  readonly updates: RelationRef | null;
  /** Triggers, rules other than a view's own, policies, actions of foreign keys, functions in defaults and checks. */
  readonly hidden: readonly HiddenWork[];
  /** Columns of its primary key, with their places among the columns from 1 on; absent: it has none. */
  readonly key?: readonly { readonly column: string; readonly place: number }[];
  /** Absent: nothing of the kind. */
  readonly unsteady?: readonly UnsteadyFact[];
}

/** A function, procedure or aggregate as one database has it. */
export interface FunctionFacts {
  readonly schema: string;
  readonly name: string;
  readonly body: Body;
  /** SET search_path of its definition; null: it runs with the caller's. */
  readonly searchPath: readonly string[] | null;
  /** Not IMMUTABLE or STABLE: it may change data and settings. */
  readonly volatile: boolean;
  /** It is IMMUTABLE: the same arguments give the same result everywhere. */
  readonly immutable?: boolean;
}

/**
 * What the router knows of the relations that exist, per database; read by `backend/catalog` and handed
 * in as a value. Without one (offline), a name without a schema is looked up in the rules along the
 * search_path alone.
 */
export interface CatalogView {
  readonly version: number;
  /** Whether `schema.name` exists as a relation in that database; null when not known. */
  hasRelation(database: string, schema: string, name: string): boolean | null;
  /** Whether the schema exists there; null, or no such method: not known. Unknown names are taken to be in the first that does. */
  hasSchema?(database: string, schema: string): boolean | null;
  /** What is known of the relation there; null where it does not exist there, or nothing is known of it. */
  relation?(database: string, schema: string, name: string): RelationFacts | null;
  /** All functions of that name there, whatever their arguments; [] where there is none; null: not known. */
  functions?(database: string, schema: string, name: string): readonly FunctionFacts[] | null;
  /** search_path that a session of this role starts with in that database (role and database settings), or null for the server's default. */
  initialSearchPath(database: string, role: string): readonly string[] | null;
  /** Name of the type where its binary values carry OIDs of other user types (composites, arrays); else null. */
  nestedType?(database: string, oid: number): string | null;
  /** Whether the database has any such type. */
  hasNestedTypes?(database: string): boolean;
  /** OID that the user type `oid` of one database has in another, by schema and name; null when it is not there. */
  translateType?(database: string, oid: number, toDatabase: string): number | null;
}

/** A foreign key as one database has it. */
export interface ForeignKey {
  readonly name: string;
  readonly table: RelationRef;
  readonly references: RelationRef;
  readonly onDelete: ForeignKeyAction;
  readonly onUpdate: ForeignKeyAction;
}

export type ForeignKeyAction = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';

/** A catalog whose objects can be gone through, for `pgfig check`. */
export interface CatalogObjects extends CatalogView {
  /** Those that could be read. */
  readonly databases: readonly string[];
  /** Relations of which more is known than that they exist. */
  relations(database: string): Iterable<readonly [RelationRef, RelationFacts]>;
  /** Tables and views of users, without partitions and children of others. */
  roots(database: string): Iterable<readonly [RelationRef, RelationKind]>;
  /** Sequences from which the columns of several tables draw, with these tables. */
  sharedSequences(database: string): readonly (readonly [RelationRef, readonly RelationRef[]])[];
  allFunctions(database: string): Iterable<FunctionFacts>;
  foreignKeys(database: string): readonly ForeignKey[];
}
