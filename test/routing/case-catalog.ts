import type {
  CatalogView,
  FunctionFacts,
  HiddenWork,
  RelationFacts,
  RelationKind,
  RelationRef,
  UnsteadyFact,
} from '../../src/routing/catalog-view.js';
import { parseTableName, tableKey } from '../../src/rules/table-name.js';
import { readPlpgsqlBody, readSqlBody } from '../../src/sql/function-body.js';
import type { PlpgsqlParser } from '../../src/sql/parser.js';
import type { Body, TableChange, Touches } from '../../src/sql/statement.js';
import { mergeTouches } from '../../src/sql/touches.js';

/** What a view, a trigger and so on do, as SQL; a list of names: functions that are called. */
export interface WorkText {
  /** How messages name it: 'trigger log', 'rule r', 'policy p'. */
  readonly what: string;
  readonly on: readonly HiddenWork['on'][number][];
  readonly columns?: readonly string[];
  readonly instead?: boolean;
  readonly sql?: string;
  readonly runs?: string;
}

/** `from: public.items(order_id)`, `to: public.orders(id)`. */
export interface ForeignKeyText {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly delete?: 'cascade' | 'set null';
  readonly update?: 'cascade' | 'set null';
}

export interface FunctionText {
  readonly name: string;
  readonly sql?: string;
  readonly plpgsql?: string;
  /** Why it cannot be seen through. */
  readonly opaque?: string;
  /** SET search_path of its definition. */
  readonly path?: readonly string[];
  readonly volatile?: boolean;
  readonly immutable?: boolean;
}

export interface ViewText {
  readonly sql: string;
  /** The table that a change of it changes. */
  readonly updates?: string;
}

/** A database in a case file. Relations are tables where nothing else is said; `child: parent` for partitions. */
export interface DatabaseText {
  /** All its schemas; missing: not known. */
  readonly schemas?: readonly string[];
  readonly tables?: readonly string[];
  readonly partitions?: Readonly<Record<string, string | readonly string[]>>;
  readonly foreignTables?: readonly string[];
  readonly views?: Readonly<Record<string, string | ViewText>>;
  readonly matviews?: Readonly<Record<string, string>>;
  /** Sequence -> the table that owns it, or null. */
  readonly sequences?: Readonly<Record<string, string | null>>;
  /** Defaults that differ anew ('id 1 nextval()': column, place, what) and triggers ('trigger t insert,update'). */
  readonly unsteady?: Readonly<Record<string, readonly string[]>>;
  readonly indexes?: Readonly<Record<string, string>>;
  readonly work?: Readonly<Record<string, readonly WorkText[]>>;
  readonly foreignKeys?: readonly ForeignKeyText[];
  /** null: nothing is known of its functions. */
  readonly functions?: readonly FunctionText[] | null;
}

/** Database -> its tables, or all that is told of it; a database that is missing could not be read. */
export type CatalogText = Readonly<Record<string, readonly string[] | DatabaseText>>;

interface Database {
  readonly schemas: ReadonlySet<string> | null;
  readonly relations: ReadonlyMap<string, RelationFacts>;
  readonly functions: ReadonlyMap<string, readonly FunctionFacts[]> | null;
}

/** The catalog that a case file describes. */
export function catalogOf(text: CatalogText, parser: PlpgsqlParser): CatalogView {
  const databases = new Map(
    Object.entries(text).map(([name, told]) => [
      name,
      databaseOf(Array.isArray(told) ? { tables: told } : (told as DatabaseText), parser),
    ]),
  );
  return {
    version: 1,
    hasRelation: (database, schema, name) => databases.get(database)?.relations.has(tableKey(schema, name)) ?? null,
    hasSchema: (database, schema) => databases.get(database)?.schemas?.has(schema) ?? null,
    relation: (database, schema, name) => databases.get(database)?.relations.get(tableKey(schema, name)) ?? null,
    functions: (database, schema, name) => {
      const known = databases.get(database)?.functions ?? null;
      return known === null ? null : (known.get(tableKey(schema, name)) ?? []);
    },
    initialSearchPath: () => null,
  };
}

export function refOf(text: string): RelationRef {
  const ref = parseTableName(text);
  // Names of the system's are none for rules.
  if (typeof ref !== 'string') return ref;
  const [schema, name] = text.split('.');
  if (schema === undefined || name === undefined) throw new Error(ref);
  return { schema, name };
}

type Draft = { -readonly [K in keyof RelationFacts]: RelationFacts[K] } & {
  children: RelationRef[];
  hidden: HiddenWork[];
};

function databaseOf(text: DatabaseText, parser: PlpgsqlParser): Database {
  const drafts = new Map<string, Draft>();
  const add = (name: string, kind: RelationKind, facts: Partial<RelationFacts> = {}): void => {
    const { schema, name: plain } = refOf(name);
    drafts.set(tableKey(schema, plain), {
      kind,
      owner: null,
      parents: [],
      definition: null,
      updates: null,
      ...facts,
      children: [],
      hidden: [],
    });
  };
  const draft = (name: string): Draft => {
    const { schema, name: plain } = refOf(name);
    const found = drafts.get(tableKey(schema, plain));
    if (found === undefined) throw new Error(`the case's catalog has no ${name}`);
    return found;
  };
  for (const name of text.tables ?? []) add(name, 'table');
  for (const name of text.foreignTables ?? []) add(name, 'foreign-table');
  for (const [child, parents] of Object.entries(text.partitions ?? {})) {
    const list = typeof parents === 'string' ? [parents] : parents;
    add(child, 'table', { parents: list.map(refOf) });
    for (const parent of list) draft(parent).children.push(refOf(child));
    // Of several parents a table inherits; of one it is taken for a partition.
    const [only] = list;
    if (list.length === 1 && only !== undefined) draft(only).kind = 'partitioned';
  }
  for (const [name, view] of Object.entries(text.views ?? {})) {
    const { sql, updates } = typeof view === 'string' ? { sql: view } : view;
    add(name, 'view', {
      definition: touchesOfText(sql, parser),
      updates: updates === undefined ? null : refOf(updates),
    });
  }
  for (const [name, sql] of Object.entries(text.matviews ?? {})) {
    add(name, 'materialized-view', { definition: touchesOfText(sql, parser) });
  }
  for (const [name, owner] of Object.entries(text.sequences ?? {})) {
    add(name, 'sequence', { owner: owner === null ? null : refOf(owner) });
  }
  for (const [name, facts] of Object.entries(text.unsteady ?? {})) draft(name).unsteady = facts.map(unsteadyOf);
  for (const [name, owner] of Object.entries(text.indexes ?? {})) add(name, 'index', { owner: refOf(owner) });
  for (const [name, works] of Object.entries(text.work ?? {})) {
    draft(name).hidden.push(...works.map((work) => workOf(work, parser)));
  }
  for (const key of text.foreignKeys ?? []) draft(columnsOf(key.to).table).hidden.push(...actionsOf(key));
  return {
    schemas: text.schemas === undefined ? null : new Set(text.schemas),
    relations: drafts,
    functions: text.functions === null ? null : functionsOf(text.functions ?? [], parser),
  };
}

function unsteadyOf(text: string): UnsteadyFact {
  const [first = '', second = '', third = ''] = text.split(' ');
  if (first !== 'trigger') return { sort: 'default', column: first, place: Number(second), what: third };
  return { sort: 'trigger', name: second, on: third.split(',') as ('insert' | 'update' | 'delete' | 'truncate')[] };
}

/** What reading a definition touches; the statement itself is none of the session's. */
export function touchesOfText(sql: string, parser: PlpgsqlParser): Touches {
  const parsed = parser.parse(sql);
  if (parsed.syntaxError !== null) throw new Error(`${sql}: ${parsed.syntaxError}`);
  return mergeTouches(parsed.statements);
}

const NOTHING: Touches = Object.freeze({
  reads: [],
  writes: [],
  locks: [],
  changes: [],
  sequences: [],
  functions: [],
  opaque: null,
});

function workOf(text: WorkText, parser: PlpgsqlParser): HiddenWork {
  const touches = text.sql === undefined ? NOTHING : touchesOfText(text.sql, parser);
  return {
    what: text.what,
    on: text.on,
    columns: text.columns ?? null,
    instead: text.instead ?? false,
    touches: text.runs === undefined ? touches : { ...touches, functions: [...touches.functions, refOf(text.runs)] },
  };
}

function columnsOf(text: string): { readonly table: string; readonly columns: readonly string[] } {
  const [, table = '', columns = ''] = /^(.*)\((.*)\)$/.exec(text) ?? [];
  return { table, columns: columns.split(/\s*,\s*/) };
}

/** What the foreign key does to the table that it is on, as work of the table that it refers to. */
function actionsOf(key: ForeignKeyText): readonly HiddenWork[] {
  const from = columnsOf(key.from);
  const table = refOf(from.table);
  const work = (
    event: 'delete' | 'update' | 'truncate',
    action: string,
    change: Omit<TableChange, 'table'>,
    columns: readonly string[] | null,
  ): HiddenWork => ({
    what: `foreign key ${key.name}${action}`,
    on: [event],
    columns,
    instead: false,
    touches: { ...NOTHING, writes: [table], changes: [{ ...change, table }] },
  });
  const set = { op: 'update', columns: from.columns, cascade: false } as const;
  const works = [work('truncate', '', { op: 'truncate', columns: null, cascade: true }, null)];
  if (key.delete === 'cascade') {
    works.push(work('delete', ' (ON DELETE CASCADE)', { op: 'delete', columns: null, cascade: false }, null));
  }
  if (key.delete === 'set null') works.push(work('delete', ' (ON DELETE SET NULL)', set, null));
  if (key.update !== undefined) {
    const action = ` (ON UPDATE ${key.update.toUpperCase()})`;
    works.push(work('update', action, set, columnsOf(key.to).columns));
  }
  return works;
}

function functionsOf(
  texts: readonly FunctionText[],
  parser: PlpgsqlParser,
): ReadonlyMap<string, readonly FunctionFacts[]> {
  const functions = new Map<string, FunctionFacts[]>();
  for (const text of texts) {
    const { schema, name } = refOf(text.name);
    const facts: FunctionFacts = {
      schema,
      name,
      body: bodyOf(text, parser),
      searchPath: text.path ?? null,
      volatile: text.volatile ?? true,
      ...(text.immutable && { immutable: true }),
    };
    const key = tableKey(schema, name);
    functions.set(key, [...(functions.get(key) ?? []), facts]);
  }
  return functions;
}

function bodyOf({ sql, plpgsql, opaque }: FunctionText, parser: PlpgsqlParser): Body {
  if (sql !== undefined) return readSqlBody(parser, sql);
  if (plpgsql === undefined) return { ...NOTHING, opaque: opaque ?? null, sets: opaque === undefined ? [] : ['*'] };
  const returns = /\b(new|old)\b/i.test(plpgsql) ? 'trigger' : 'void';
  const body = readPlpgsqlBody(
    parser,
    `CREATE FUNCTION f() RETURNS ${returns} LANGUAGE plpgsql AS $body$ ${plpgsql} $body$`,
  );
  if (body.opaque?.startsWith('does not parse')) throw new Error(`${plpgsql}: ${body.opaque}`);
  return body;
}
