/**
 * What pgfig knows of one SQL statement: facts only, as written. No catalog, no rules, no positions
 * in a parse tree (an entry of the statement cache outlives the text that made it, and serves every
 * text that differs only in its literals).
 */

/** A relation as written: folded and truncated to 63 bytes as Postgres does, not yet resolved. */
export interface TableName {
  /** First part of a three-part name. */
  readonly catalog?: string;
  readonly schema?: string;
  readonly name: string;
  /** Written with ONLY: what inherits from it, and its partitions, are not meant. */
  readonly only?: true;
}

export interface FunctionName {
  readonly schema?: string;
  readonly name: string;
  /** How many arguments the call gives (an overload may have more, with defaults); absent: not known (VARIADIC). */
  readonly args?: number;
}

/** What DML does to one table: it says which triggers, rules and actions of foreign keys it sets off. */
export interface TableChange {
  readonly table: TableName;
  readonly op: 'insert' | 'update' | 'delete' | 'truncate';
  /** Columns that an UPDATE (also ON CONFLICT DO UPDATE, and MERGE's) sets; null for the other operations. */
  readonly columns: readonly string[] | null;
  /** TRUNCATE ... CASCADE */
  readonly cascade: boolean;
}

/**
 * Which columns the rows of an INSERT (COPY, MERGE ... INSERT) are given: by name, or by place from 1 on; the others
 * get their defaults. 'all': none does. 'unknown': how many are given is not to be seen. `defaults`: columns that an
 * UPDATE sets to DEFAULT.
 */
export type ColumnFill =
  | { readonly table: TableName; readonly given: readonly (string | number)[] | 'all' | 'unknown' }
  | { readonly table: TableName; readonly defaults: readonly string[] };

/** A column, by name or by place from 1 on, that is equal to a constant (text) or a parameter (number). */
export interface Pin {
  readonly column: string | number;
  readonly value: string | number;
}

/** A row that a change names by values. */
export interface PinnedRow {
  readonly table: TableName;
  readonly row: readonly Pin[];
}

/**
 * What a piece of SQL touches: a statement, or the body of a function. A definition in a catalog (view, rule,
 * function) is told in the same words, so that the router follows them from one to the next.
 */
export interface Touches {
  /** Tables read, without duplicates, in order of first appearance. */
  readonly reads: readonly TableName[];
  /** Tables written or defined: DML targets, TRUNCATE, COPY FROM, DDL, SELECT INTO, strong LOCKs. */
  readonly writes: readonly TableName[];
  /** Tables of `reads` that FOR UPDATE/SHARE or a weak LOCK TABLE locks: read from the authoritative home, count as writes for the second-writer rule. */
  readonly locks: readonly TableName[];
  /** What DML does to the tables of `writes`. */
  readonly changes: readonly TableChange[];
  /** Sequences named in nextval/setval/currval('...'): they follow their owner's table. */
  readonly sequences: readonly TableName[];
  /** Functions called, by the names written; PostgreSQL's own (pg_catalog, not known to write) left out. */
  readonly functions: readonly FunctionName[];
  /** Functions called by the name of one of PostgreSQL's own, without a schema: a user's function may have the same. */
  readonly homonyms?: readonly FunctionName[];
  /** Why it cannot be seen through ('dynamic SQL (EXECUTE)', 'language plpython3u'); null where it can. */
  readonly opaque: string | null;
}

/** The body of a function, procedure or DO block. */
export interface Body extends Touches {
  /**
   * Settings that running it changes for longer than itself, in lower case ('search_path'); '*': not known which;
   * 'pg_temp': it makes temporary tables, which hide others as a search_path does.
   */
  readonly sets: readonly string[];
}

export type StatementKind =
  | 'select'
  | 'insert'
  | 'update'
  | 'delete'
  | 'merge'
  | 'values'
  | 'truncate'
  | 'copy-from'
  | 'copy-to'
  | 'lock'
  | 'explain'
  | 'call'
  | 'do'
  | 'declare'
  | 'fetch'
  | 'close'
  | 'prepare'
  | 'execute'
  | 'deallocate'
  | 'ddl'
  | 'maintenance'
  | 'begin'
  | 'commit'
  | 'rollback'
  | 'savepoint'
  | 'release'
  | 'rollback-to'
  | 'prepare-transaction'
  | 'commit-prepared'
  | 'rollback-prepared'
  | 'set-transaction'
  | 'set'
  | 'reset'
  | 'show'
  | 'discard'
  | 'set-constraints'
  | 'listen'
  | 'unlisten'
  | 'notify'
  | 'load'
  | 'checkpoint'
  | 'other'
  | 'unparsable';

/** What a statement does to the session or the transaction besides its rows. */
export type SessionEffect =
  /** BEGIN / START TRANSACTION; `modes` as SQL text ('ISOLATION LEVEL SERIALIZABLE, READ ONLY'), '' when none. */
  | {
      readonly type: 'begin';
      readonly modes: string;
      readonly isolation: IsolationLevel | null;
      readonly readOnly: boolean | null;
    }
  | { readonly type: 'commit'; readonly chain: boolean }
  | { readonly type: 'rollback'; readonly chain: boolean }
  | { readonly type: 'savepoint'; readonly name: string }
  | { readonly type: 'release'; readonly name: string }
  | { readonly type: 'rollback-to'; readonly name: string }
  | { readonly type: 'prepare-transaction'; readonly gid: string }
  /** SET TRANSACTION ... (this transaction only) or SET SESSION CHARACTERISTICS (session true). */
  | {
      readonly type: 'set-transaction';
      readonly modes: string;
      readonly isolation: IsolationLevel | null;
      readonly readOnly: boolean | null;
      readonly session: boolean;
      readonly snapshot: boolean;
    }
  /**
   * SET / SET LOCAL / RESET name / set_config('name', ...): `name` in lower case. `value` null where it is
   * not a constant or was reset (RESET, SET ... TO DEFAULT): the server must be asked. ROLE and
   * SESSION AUTHORIZATION come as names 'role' and 'session_authorization'.
   */
  | { readonly type: 'set'; readonly name: string; readonly value: readonly string[] | null; readonly local: boolean }
  /** set_config() whose name is not a constant: no link may join after this. */
  | { readonly type: 'set-unknown' }
  | { readonly type: 'reset-all' }
  | { readonly type: 'discard'; readonly what: 'all' | 'plans' | 'sequences' | 'temp' }
  /** SQL-level PREPARE: the name and the statement inside it. */
  | { readonly type: 'prepare'; readonly name: string; readonly statement: Statement }
  | { readonly type: 'execute'; readonly name: string }
  /** null: DEALLOCATE ALL */
  | { readonly type: 'deallocate'; readonly name: string | null }
  | { readonly type: 'declare-cursor'; readonly name: string; readonly hold: boolean }
  /** FETCH, MOVE */
  | { readonly type: 'use-cursor'; readonly name: string }
  /** null: CLOSE ALL */
  | { readonly type: 'close-cursor'; readonly name: string | null }
  | { readonly type: 'listen'; readonly channel: string }
  /** null: UNLISTEN * */
  | { readonly type: 'unlisten'; readonly channel: string | null }
  | { readonly type: 'notify'; readonly channel: string }
  | { readonly type: 'create-temp'; readonly table: string }
  /** A relation that is not temporary comes to be under this name: CREATE TABLE, VIEW ..., SELECT INTO, RENAME TO. */
  | {
      readonly type: 'create-relation';
      readonly table: TableName;
      /** It is made where what it is made of is: a view, a partition or child of a table, an index. */
      readonly follows?: true;
    }
  /** CREATE SCHEMA of this name; not where the server alone knows it (AUTHORIZATION CURRENT_USER). */
  | { readonly type: 'create-schema'; readonly schema: string }
  | { readonly type: 'drop-table'; readonly table: TableName }
  /** nextval, setval: leaves session state (currval, lastval) on the link. */
  | { readonly type: 'sequence' }
  /** pg_advisory_*: belongs to the default database; session-level ones (not _xact_) are session state. */
  | { readonly type: 'advisory-lock'; readonly session: boolean }
  /** lo_*: belongs to the default database. */
  | { readonly type: 'large-object' };

export type IsolationLevel = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable';

export interface Statement extends Touches {
  readonly kind: StatementKind;
  /** May change data, seen or unseen (DML, DDL, CALL, DO, unparsable); an unknown function alone does not set it. */
  readonly writesData: boolean;
  readonly effects: readonly SessionEffect[];
  /** false where the result depends on more than the data: now(), random(), nextval ... */
  readonly deterministic: boolean;
  /** What it depends on besides the data, where it is not deterministic: 'now()', 'LIMIT without ORDER BY'. */
  readonly unsteady?: string;
  /** Which columns its new or changed rows get from the statement, and which from their defaults. */
  readonly fills?: readonly ColumnFill[];
  /** Rows that it names by values; only where they were asked for (see `withPins`). */
  readonly pins?: readonly PinnedRow[];
  /** A top-level ORDER BY fixes the order of the rows. */
  readonly ordered: boolean;
  /** COPY ... FROM STDIN / TO STDOUT. */
  readonly copyStream: 'in' | 'out' | null;
  /** Schemas that DDL concerns as a whole: DROP SCHEMA, GRANT ... ON ALL TABLES IN SCHEMA, REINDEX SCHEMA. */
  readonly schemas?: readonly string[];
}

/** A query string: its statements in order; none for comments and blanks alone. */
export interface ParsedText {
  readonly statements: readonly Statement[];
  /** Where each statement stands in the text: UTF-8 byte offsets [start, end). Not to be used on a cache hit. */
  readonly spans: readonly (readonly [number, number])[];
  /** The parser's message where the text does not parse (then one statement of kind 'unparsable'). */
  readonly syntaxError: string | null;
  /** The parser could not read it just now (it was being replaced): the same text may parse later, so this is not to be kept. */
  readonly transient?: boolean;
}
