import type { QueryWalk } from './extract-query.js';
import { tableOf } from './names.js';
import type { SessionEffect, Statement, StatementKind } from './statement.js';
import { constantOf, inside, isNode, listOf, nodeOf, stringsOf, type TreeNode, tagOf, textOf } from './tree.js';

/** ROW SHARE of lockdefs.h: up to here LOCK TABLE conflicts with no writer. */
const ROW_SHARE = 2;

/** COPY in both directions, and COPY (query) TO. */
export function copy(walk: QueryWalk, node: TreeNode): StatementKind {
  const { facts } = walk;
  const incoming = node.is_from === true;
  const relation = node.relation;
  if (isNode(relation)) {
    if (incoming) {
      facts.change(tableOf(relation), 'insert');
      facts.fills.push({
        table: tableOf(relation),
        given: node.attlist === undefined ? 'all' : stringsOf(node.attlist),
      });
    } else facts.reads.add(tableOf(relation));
  }
  topSelect(walk, node.query);
  walk.walk(node.whereClause, null);
  // A file or program of the server is no stream, and writing one is outside of any table.
  if (node.filename === undefined && node.is_program !== true) facts.copyStream = incoming ? 'in' : 'out';
  return incoming ? 'copy-from' : 'copy-to';
}

/** LOCK TABLE: what can hold up a writer must be held where the writers are. */
export function lock(walk: QueryWalk, node: TreeNode): StatementKind {
  const { facts } = walk;
  const mode = typeof node.mode === 'number' ? node.mode : Number.POSITIVE_INFINITY;
  for (const item of listOf(node.relations)) {
    const table = tableOf(nodeOf(inside(item, 'RangeVar')));
    if (mode > ROW_SHARE) {
      facts.write(table);
    } else {
      facts.reads.add(table);
      facts.locks.add(table);
    }
  }
  return 'lock';
}

export function truncate(walk: QueryWalk, node: TreeNode): StatementKind {
  const cascade = node.behavior === 'DROP_CASCADE';
  for (const item of listOf(node.relations)) {
    walk.facts.change(tableOf(nodeOf(inside(item, 'RangeVar'))), 'truncate', null, cascade);
  }
  return 'truncate';
}

/** VACUUM, ANALYZE, CLUSTER, REINDEX, REFRESH MATERIALIZED VIEW: they work on the table itself. */
export function maintenance(walk: QueryWalk, node: TreeNode): StatementKind {
  walk.facts.writesData = true;
  if (node.kind === 'REINDEX_OBJECT_SCHEMA') walk.facts.schemas.push(textOf(node.name));
  walk.walk(node, null);
  return 'maintenance';
}

/** Effects that planning has too: what EXPLAIN and PREPARE keep of the statement inside. */
function isNeededToPlan(effect: SessionEffect): boolean {
  return effect.type === 'execute' || effect.type === 'use-cursor';
}

/** Effects that stay in the session after EXPLAIN ANALYZE has run the statement: DECLARE makes no cursor there. */
function isDoneByAnalyze(effect: SessionEffect): boolean {
  return effect.type !== 'declare-cursor';
}

/** A statement that is planned and not run: it must go where it would run, but changes and locks nothing. */
function plannedOnly(inner: Statement, kind: StatementKind): Statement {
  return {
    ...inner,
    kind,
    locks: [],
    writesData: false,
    effects: inner.effects.filter(isNeededToPlan),
    ordered: false,
    copyStream: null,
  };
}

export function explain(node: TreeNode, extract: (statement: unknown) => Statement): Statement {
  const inner = extract(node.query);
  if (!hasAnalyze(node.options)) return plannedOnly(inner, 'explain');
  return {
    ...inner,
    kind: 'explain',
    effects: inner.effects.filter(isDoneByAnalyze),
    // The plan's times are in the answer.
    deterministic: false,
    ordered: false,
    copyStream: null,
  };
}

/** `[ANALYZE [boolean]]` of EXPLAIN's options; the last one counts. */
function hasAnalyze(options: unknown): boolean {
  let analyze = false;
  for (const item of listOf(options)) {
    const option = inside(item, 'DefElem');
    if (option?.defname !== 'analyze') continue;
    const argument = option.arg;
    analyze = argument === undefined || /^(true|on|1)$/i.test(optionText(argument));
  }
  return analyze;
}

function optionText(argument: unknown): string {
  const word = inside(argument, 'String')?.sval ?? inside(argument, 'Boolean')?.boolval;
  if (word !== undefined) return String(word);
  const integer = inside(argument, 'Integer');
  return integer === null ? (constantOf(argument) ?? '') : String(integer.ival ?? 0);
}

/** PREPARE name AS statement. */
export function prepare(node: TreeNode, extract: (statement: unknown) => Statement): Statement {
  const inner = extract(node.query);
  const effect: SessionEffect = { type: 'prepare', name: textOf(node.name), statement: inner };
  return { ...plannedOnly(inner, 'prepare'), effects: [effect] };
}

/** EXECUTE, also as the query of EXPLAIN and CREATE TABLE AS. */
export function execute(walk: QueryWalk, node: TreeNode): StatementKind {
  walk.facts.effects.push({ type: 'execute', name: textOf(node.name) });
  walk.walk(node.params, null);
  return 'execute';
}

/** DECLARE's and COPY's query decides over the order of the rows just as a bare SELECT does. */
export function topSelect(walk: QueryWalk, query: unknown): void {
  if (isNode(query) && tagOf(query) === 'SelectStmt') walk.select(nodeOf(query.SelectStmt), null, true);
  else walk.walk(query, null);
}
