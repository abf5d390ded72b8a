import { parse } from 'pgsql-ast-parser';

/** Names that WITH gives, from the innermost out. */
interface WithNames {
  readonly names: ReadonlySet<string>;
  readonly outer: WithNames | null;
}

type Node = Readonly<Record<string, unknown>>;

/** What a table is called that stands under these keys of these nodes, whatever WITH names are there. */
const ALWAYS_TABLES: Readonly<Record<string, readonly string[]>> = {
  insert: ['into'],
  update: ['table'],
  delete: ['from'],
  'truncate table': ['tables'],
  'create table': ['name', 'inherits'],
  'like table': ['like'],
  reference: ['foreignTable'],
  'foreign key': ['foreignTable'],
  'alter table': ['table'],
  'create index': ['table'],
  'create view': ['name'],
  'create materialized view': ['name'],
  'refresh materialized view': ['name'],
  'drop table': ['names'],
  'drop sequence': ['names'],
  'create sequence': ['name'],
  'alter sequence': ['name'],
};

/**
 * Tables as pgsql-ast-parser's tree names them, WITH names left out where they hide a table; null: not accepted.
 * It takes exponential time for some texts: call it where it can be stopped.
 */
export function secondOpinion(sql: string): string[] | null {
  const tables = new Set<string>();
  try {
    // Its types are many; the walk needs to know of few of them, and looks into all the others.
    for (const statement of parse(sql)) walk(statement as unknown as Node, null, tables);
  } catch {
    return null;
  }
  return [...tables].sort();
}

function walk(value: unknown, scope: WithNames | null, tables: Set<string>): void {
  if (Array.isArray(value)) for (const part of value) walk(part, scope, tables);
  else if (typeof value === 'object' && value !== null) visit(value as Node, scope, tables);
}

function visit(node: Node, scope: WithNames | null, tables: Set<string>): void {
  const kind = String(node.type ?? node.kind ?? '');
  if (kind === 'with') return withClause(node, scope, tables);
  if (kind === 'with recursive') {
    const inner: WithNames = { names: new Set([nameIn(node.alias)]), outer: scope };
    walk(node.bind, inner, tables);
    walk(node.in, inner, tables);
    return;
  }
  if (kind === 'create view' && node.recursive === true) {
    take(node.name, tables);
    walk(node.query, { names: new Set([nameIn(node.name)]), outer: scope }, tables);
    return;
  }
  // Not every node of type 'table' is one of a FROM: COMMENT ON TABLE has one too.
  if (kind === 'table' && isName(node.name)) {
    if (node.name.schema !== undefined || !hides(scope, nameIn(node.name))) take(node.name, tables);
    walk(node.join, scope, tables);
    return;
  }
  // OWNED BY table.column of a sequence.
  if (isColumn(node.ownedBy)) take({ name: node.ownedBy.table, schema: node.ownedBy.schema }, tables);
  const names = ALWAYS_TABLES[kind] ?? [];
  for (const key of names) take(node[key], tables);
  for (const [key, part] of Object.entries(node)) if (!names.includes(key)) walk(part, scope, tables);
}

/** Each query sees the names before it, as without RECURSIVE. */
function withClause(node: Node, outer: WithNames | null, tables: Set<string>): void {
  const names = new Set<string>();
  const scope: WithNames = { names, outer };
  for (const bound of node.bind as readonly Node[]) {
    walk(bound.statement, { names: new Set(names), outer }, tables);
    names.add(nameIn(bound.alias));
  }
  walk(node.in, scope, tables);
}

function hides(scope: WithNames | null, name: string): boolean {
  for (let at = scope; at !== null; at = at.outer) if (at.names.has(name)) return true;
  return false;
}

/** A name, or a list of them. */
function take(value: unknown, tables: Set<string>): void {
  if (Array.isArray(value)) for (const part of value) take(part, tables);
  else if (isName(value)) {
    const name = asStored(value.name);
    tables.add(value.schema === undefined ? name : `${asStored(value.schema)}.${name}`);
  }
}

const isName = (value: unknown): value is { readonly name: string; readonly schema?: string } =>
  typeof value === 'object' && value !== null && typeof (value as Node).name === 'string';

const isColumn = (value: unknown): value is { readonly table: string; readonly schema?: string } =>
  typeof value === 'object' && value !== null && typeof (value as Node).table === 'string';

const nameIn = (value: unknown): string => (isName(value) ? asStored(value.name) : '');

/** It neither unescapes quotes in names nor cuts them at 63 bytes. */
function asStored(name: string): string {
  const bytes = Buffer.from(name.replaceAll('""', '"'));
  if (bytes.length <= 63) return bytes.toString();
  let end = 63;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end).toString();
}

/** Tables named in strings (regclass and its kin) and SELECT INTO's: only libpg-query's reader looks there. */
const IN_STRINGS =
  /regclass|_privilege|\bpg_(get|total|relation|table|indexes|partition|column|sequence)_|to_reg|_to_xml|\b(next|set|curr)val\b|\bselect\b[^(]*\binto\b/is;

/** DDL of which its tree does not hold all names, or that names what is no table to it. */
const ONLY_FORM =
  /^\W*(comment|create (or replace )?(function|type|schema|extension|domain)|drop (index|type|trigger|function)|alter (index|type)|do|prepare)\b/i;

/** Where pgsql-ast-parser has no say about the tables, though it accepts the text. */
export const isBeyondSecond = (sql: string): boolean => IN_STRINGS.test(sql) || ONLY_FORM.test(sql);
