import { quoteIdent, quoteLiteral } from '../../sql/quote.js';

/** What a mirrored table looks like in one database: all that capture, relay and verify need to know of it. */

export interface Column {
  readonly name: string;
  /** As format_type gives it with search_path = pg_catalog: 'integer', 'public.citext', 'numeric(10,2)'. */
  readonly type: string;
  readonly notNull: boolean;
  /** Computed by the server from other columns: never copied. */
  readonly generated: boolean;
  readonly identity: '' | 'always' | 'default';
  /** Name of a collation other than the type's own; '' for none. */
  readonly collation: string;
  /** Its number in the table: another one after DROP and ADD, whatever the name. */
  readonly attnum: number;
  /** The expression of its default, '' for none. */
  readonly default: string;
}

export interface KeyColumn {
  readonly name: string;
  /** Without a type modifier, and so that none is implied ('bpchar', not 'character'): what a key's text is cast to. */
  readonly type: string;
  /** Its collation, as `"schema"."name"`; '' where its type has none. */
  readonly collation: string;
  /** The operators of the key's own index, as `OPERATOR(pg_catalog.=)`: 1.0 and 1.00 are one key. */
  readonly equals: string;
  readonly greater: string;
  readonly atMost: string;
}

export interface OtherKey {
  readonly columns: readonly KeyColumn[];
  /** NULLS NOT DISTINCT: two rows with NULL are one too many. */
  readonly nullsEqual: boolean;
}

export interface Partition {
  /** 'schema.table' */
  readonly name: string;
  readonly oid: number;
}

export interface TableShape {
  /** 'schema.table', as in the rules. */
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  readonly oid: number;
  readonly kind: 'table' | 'partitioned' | 'other';
  readonly persistence: 'permanent' | 'unlogged' | 'temporary';
  readonly owner: string;
  readonly columns: readonly Column[];
  /** The primary key, or a unique, not null, not deferrable, whole key; null: there is none. */
  readonly key: readonly KeyColumn[] | null;
  /** Why there is none; '' where there is one. */
  readonly keyProblem: string;
  /** The other unique keys over whole columns; they may hold NULL. */
  readonly otherKeys: readonly OtherKey[];
  /** Leaves of a partitioned table, by name; [] for a plain one. */
  readonly partitions: readonly Partition[];
  /** Children by inheritance that are no partitions: 'schema.table'. */
  readonly children: readonly string[];
  /** Row-level security is enabled. */
  readonly rowSecurity: boolean;
}

/** The columns that travel: all but the generated ones. */
export const copiedColumns = ({ columns }: TableShape): readonly Column[] =>
  columns.filter(({ generated }) => !generated);

export { quoteIdent as ident, quoteLiteral as literal };

/** `"schema"."table"` */
export const qualified = ({ schema, table }: Pick<TableShape, 'schema' | 'table'>): string =>
  `${quoteIdent(schema)}.${quoteIdent(table)}`;

/** The leaves that rows lie in: the partitions, or the table itself. */
export const leavesOf = (shape: TableShape): readonly Partition[] =>
  shape.kind === 'partitioned' ? shape.partitions : [{ name: shape.name, oid: shape.oid }];
