import type { TableChange, TableName } from '../../sql/statement.js';
import type { RowList } from './row-list.js';

/*
 * What is known of one database, in the compact shape in which it crosses to the workers. Relations and functions are
 * told by OID, so that a definition follows what it names through a renaming, and so that the many lists stay small;
 * names are put in when somebody asks (relation-facts.ts, function-facts.ts). Rows stand in the order of their first
 * OID: they are found by binary search, with no index to be built.
 */

/** search_path of a role in this database; role null: of every role, thisDatabase false: in every database. */
export interface SearchPathSetting {
  readonly role: string | null;
  readonly thisDatabase: boolean;
  readonly path: readonly string[];
}

export interface SettingRows {
  readonly schemas: readonly string[];
  readonly searchPaths: readonly SearchPathSetting[];
  /** search_path of the server's configuration, where it is known and not the built-in one. */
  readonly serverSearchPath: readonly string[] | null;
}

/**
 * [oid, schema, name, kind] of types with OIDs from 16384 up, which differ between databases; kind as in
 * pg_type.typtype. The row types of tables are left out: a big schema has two for each table, and hardly anyone asks
 * for one.
 */
export type TypeRow = readonly [oid: number, schema: string, name: string, kind: string];

/** Columns of equal length, by OID: there are tens of thousands of rows. */
export interface RelationColumns {
  readonly schemas: readonly string[];
  readonly oids: readonly number[];
  /** Places in `schemas`. */
  readonly schemaOf: readonly number[];
  readonly names: readonly string[];
  /** One letter for each, as in pg_class.relkind: r p v m f S i I. */
  readonly kinds: string;
}

/** Pairs laid end to end: [oid, other, oid, other ...]. */
export interface LinkRows {
  /** Index to table, sequence to the table that owns it or alone draws from it. */
  readonly owners: readonly number[];
  /** Sequences from which the columns of several tables draw, each with each table. */
  readonly shared: readonly number[];
  /** Child or partition to parent. */
  readonly parents: readonly number[];
  /** Parent to child. */
  readonly children: readonly number[];
}

/** Touches by OID; absent: none. */
export interface TouchedOids {
  /** Relations of any kind, sequences among them. */
  readonly reads?: readonly number[];
  /** Its reads lock rows (FOR UPDATE in a view). */
  readonly locks?: true;
  readonly functions?: readonly number[];
  readonly changes?: readonly (readonly [oid: number, op: TableChange['op']])[];
  readonly opaque?: string;
}

/** `updates`: the relation that a change of the view changes; 0: none. */
export type ViewRow = readonly [oid: number, updates: number, touches: TouchedOids];

/** HiddenWork of a relation but for foreign keys; `on`: sum of WORK_BITS. */
export type WorkRow = readonly [
  oid: number,
  what: string,
  on: number,
  columns: readonly string[] | null,
  instead: 0 | 1,
  touches: TouchedOids,
];

export const WORK_BITS = { read: 1, insert: 2, update: 4, delete: 8, truncate: 16 } as const;

/** The primary key of a table: names of its columns, and their places among the columns. */
export type KeyRow = readonly [oid: number, columns: readonly (readonly [name: string, place: number])[]];

/** See UnsteadyFact. `number`: the column's place, or pg_trigger.tgtype. */
export type UnsteadyRow = readonly [
  oid: number,
  sort: 'default' | 'trigger',
  name: string,
  number: number,
  what: string,
];

/**
 * `actions`: confdeltype and confupdtype. `own`: 0 for one that belongs to a partition of the referenced table. The
 * columns are null where no action needs them; `set`: those that ON DELETE SET NULL (a, b) names.
 */
export type ForeignKeyRow = readonly [
  referenced: number,
  referencing: number,
  name: string,
  actions: string,
  own: 0 | 1,
  columns: readonly string[] | null,
  keyColumns: readonly string[] | null,
  set: readonly string[] | null,
];

/** What a body touches, by names as written or by OIDs; absent: nothing. */
export interface BodyRow {
  readonly reads?: readonly TableName[];
  readonly writes?: readonly TableName[];
  readonly locks?: readonly TableName[];
  readonly changes?: readonly TableChange[];
  readonly sequences?: readonly TableName[];
  readonly functions?: readonly { readonly schema?: string; readonly name: string }[];
  readonly opaque?: string;
  readonly sets?: readonly string[];
  readonly oids?: TouchedOids;
}

/** `body`: place in the section `bodies`, where 0 is a body that touches nothing. */
export type FunctionRow = readonly [
  oid: number,
  schema: number,
  name: string,
  /** 0: stable, 1: volatile, 2: immutable. */
  volatility: 0 | 1 | 2,
  body: number,
  searchPath: readonly string[] | null,
];

export interface FunctionRows {
  readonly schemas: readonly string[];
  readonly rows: readonly FunctionRow[];
}

/** By the name of the section. */
export interface SectionValues {
  readonly settings: SettingRows;
  readonly types: readonly TypeRow[];
  readonly relations: RelationColumns;
  readonly links: LinkRows;
  readonly views: RowList<ViewRow>;
  readonly works: RowList<WorkRow>;
  readonly foreignKeys: RowList<ForeignKeyRow>;
  readonly unsteady: RowList<UnsteadyRow>;
  readonly keys: RowList<KeyRow>;
  readonly functions: FunctionRows;
  readonly bodies: RowList<BodyRow>;
}

export type SectionName = keyof SectionValues;
