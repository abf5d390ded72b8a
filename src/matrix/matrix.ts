/**
 * The matrix: which service touches which table, and which tables are touched together. Plain values that add up:
 * over time, over workers, over a fleet, and over sources (traffic, logs, pg_stat_statements).
 */

/** 'opaque': part of a statement could not be seen through, so what it touches is not known. */
export type Access = 'read' | 'write' | 'ddl' | 'opaque';

/** What one service did to one table in one way. */
export interface Cell {
  readonly service: string;
  /** 'schema.table', as `tableKey` makes it; with access 'opaque' the reason why it is not known. */
  readonly table: string;
  readonly access: Access;
  /** The database that it went to, by its name in pgfig.yaml; '' where it was refused. */
  readonly database: string;
  /** Statements that the database has carried out. */
  readonly statements: number;
  /** Of these, those that do not name the table: they come to it by a view, function, trigger, rule or cascade. */
  readonly hidden: number;
  /** Statements that the database has answered with an error. */
  readonly errors: number;
  /** Statements that routing has refused: no database has all that they need. */
  readonly refused: number;
  /** Rows that those have read or changed that name the table (as in the command tag). */
  readonly rows: number;
  /** Time from the statement's arrival to its answer, summed up; the whole statement counts for each of its tables. */
  readonly seconds: number;
  /** Milliseconds since 1970. */
  readonly first: number;
  readonly last: number;
  /** One such statement without its literals; '' where none can be shown. */
  readonly example: string;
}

/**
 * Two tables that one service uses together.
 * 'join': in one statement, named or reached through views, functions, triggers and cascades.
 * 'transaction': rows of both were written in one transaction that was committed.
 */
export interface Pair {
  readonly service: string;
  readonly kind: 'join' | 'transaction';
  /** 'schema.table'; `a` < `b`. Views are none: their base tables stand for them. */
  readonly a: string;
  readonly b: string;
  /** Statements carried out, or transactions committed. */
  readonly count: number;
  /** Statements refused, or transactions that were not allowed to write the second of the two. */
  readonly refused: number;
  readonly first: number;
  readonly last: number;
  /** For a join the statement, and ''; for a transaction the one that wrote `a` and the one that wrote `b`. */
  readonly exampleA: string;
  readonly exampleB: string;
}

export interface Matrix {
  readonly cells: readonly Cell[];
  readonly pairs: readonly Pair[];
}

export const EMPTY_MATRIX: Matrix = Object.freeze({ cells: Object.freeze([]), pairs: Object.freeze([]) });

/** A byte that no name of Postgres holds stands between the parts. */
export const cellKey = ({ service, table, access, database }: Cell): string =>
  `${service}\0${table}\0${access}\0${database}`;

export const pairKey = ({ service, kind, a, b }: Pair): string => `${service}\0${kind}\0${a}\0${b}`;
