import type { TableChange } from '../../sql/statement.js';

/**
 * Reads PostgreSQL's stored query trees (pg_node_tree: pg_rewrite.ev_action, pg_proc.prosqlbody), as far as is needed
 * to say which relations their queries change, by OID. Deparsing them on the server would lock those relations.
 *
 * The format is that of backend/nodes/outfuncs.c: `{TAG :field value ...}`, lists `(a b)`, nothing `<>`; what is
 * special in a value has a backslash before it. The fields used here have had the same names since PostgreSQL 12.
 */
interface Node {
  readonly tag: string;
  readonly fields: ReadonlyMap<string, readonly Value[]>;
}
type Value = string | Node | readonly Value[];

/** CmdType in nodes/nodes.h; 5 is MERGE from PostgreSQL 15 on and a utility statement, without a result relation, before. */
const COMMANDS: Readonly<Record<string, TableChange['op'] | 'merge'>> = {
  2: 'update',
  3: 'insert',
  4: 'delete',
  5: 'merge',
};
/** OnConflictAction, ONCONFLICT_UPDATE */
const ON_CONFLICT_UPDATE = '2';
/** RTEKind, RTE_RELATION */
const RELATION = '0';
const TOKEN = /[(){}]|(?:\\[\s\S]|[^\s(){}\\])+/g;

export type ChangedOid = readonly [oid: number, op: TableChange['op']];

/** What all queries of the tree change, without duplicates. @throws Error for a text that is no tree */
export function changesOfTree(text: string): readonly ChangedOid[] {
  const found = new Map<string, ChangedOid>();
  for (const query of nodesOf(parseTree(text), 'QUERY')) {
    const oid = relationAt(query, Number(textOf(query, 'resultRelation')));
    if (oid === null) continue;
    for (const op of opsOf(query)) found.set(`${oid} ${op}`, [oid, op]);
  }
  return [...found.values()];
}

/** The relation that the outermost query of a view has as its only source; null where it has none, or several. */
export function soleSource(text: string): number | null {
  const [query] = nodesOf(parseTree(text), 'QUERY');
  const from = query === undefined ? undefined : query.fields.get('jointree')?.[0];
  if (query === undefined || !isNode(from)) return null;
  const sources = from.fields.get('fromlist')?.[0];
  const [source] = Array.isArray(sources) && sources.length === 1 ? (sources as readonly Value[]) : [];
  return isNode(source) && source.tag === 'RANGETBLREF' ? relationAt(query, Number(textOf(source, 'rtindex'))) : null;
}

function opsOf(query: Node): readonly TableChange['op'][] {
  const op = COMMANDS[textOf(query, 'commandType')];
  if (op === undefined) return [];
  if (op === 'merge') {
    const actions = [...nodesOf(query.fields.get('mergeActionList') ?? [], 'MERGEACTION')];
    return actions.flatMap((action) => {
      const one = COMMANDS[textOf(action, 'commandType')];
      return one === undefined || one === 'merge' ? [] : [one];
    });
  }
  const conflict = query.fields.get('onConflict')?.[0];
  return isNode(conflict) && textOf(conflict, 'action') === ON_CONFLICT_UPDATE ? [op, 'update'] : [op];
}

/** The OID of a relation in the query's range table, counted from 1. */
function relationAt(query: Node, index: number): number | null {
  const table = query.fields.get('rtable')?.[0];
  const entry = Array.isArray(table) ? (table as readonly Value[])[index - 1] : undefined;
  if (!isNode(entry) || textOf(entry, 'rtekind') !== RELATION) return null;
  return Number(textOf(entry, 'relid'));
}

const isNode = (value: Value | undefined): value is Node => typeof value === 'object' && 'tag' in value;

function textOf(node: Node, field: string): string {
  const value = node.fields.get(field)?.[0];
  return typeof value === 'string' ? value : '';
}

/** Nodes of that tag, the outer before the inner. */
function* nodesOf(values: Iterable<Value>, tag: string): Generator<Node> {
  for (const value of values) {
    if (isNode(value)) {
      if (value.tag === tag) yield value;
      for (const inner of value.fields.values()) yield* nodesOf(inner, tag);
    } else if (typeof value !== 'string') {
      yield* nodesOf(value, tag);
    }
  }
}

function parseTree(text: string): readonly Value[] {
  const tokens = text.match(TOKEN) ?? [];
  let at = 0;
  const next = (): string => {
    const token = tokens[at];
    if (token === undefined) throw new Error('a stored query ends early');
    at += 1;
    return token;
  };
  const node = (): Node => {
    const tag = next();
    const fields = new Map<string, Value[]>();
    while (tokens[at] !== '}') {
      const field = next().slice(1);
      // A value may begin with a colon; each field has one at least.
      const values = [value()];
      while (tokens[at] !== '}' && !tokens[at]?.startsWith(':')) values.push(value());
      fields.set(field, values);
    }
    next();
    return { tag, fields };
  };
  const list = (): readonly Value[] => {
    const values: Value[] = [];
    while (tokens[at] !== ')') values.push(value());
    next();
    return values;
  };
  const value = (): Value => {
    const token = next();
    if (token === '{') return node();
    return token === '(' ? list() : token;
  };
  const values: Value[] = [];
  while (at < tokens.length) values.push(value());
  return values;
}
