import { type CteScope, openCteScope, seesCte } from './cte-scope.js';
import { changeTarget } from './extract-change.js';
import { columnFills } from './extract-fills.js';
import { functionCall, readNamed } from './extract-function.js';
import { lockingClause } from './extract-locking.js';
import { pinnedRows } from './extract-pins.js';
import type { Facts } from './facts.js';
import { tableOf } from './names.js';
import { inside, isNode, listOf, nodeOf, stringsOf, type TreeNode, tagOf, textOf } from './tree.js';

/** Columns that every table has and that tell where a row lies, not what it says. */
const SYSTEM_COLUMNS = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']);

/** Datetime input that means the moment of the query. `fold` keeps such literals apart. */
const MOMENT = /^[ \t\n\r\f\v]*(now|today|tomorrow|yesterday)(?![a-z])/i;

/** Fields of a SELECT that `QueryWalk.select` takes by hand. */
const SELECT_BY_HAND = new Set(['withClause', 'intoClause', 'lockingClause', 'larg', 'rarg']);
const DML_BY_HAND = new Set(['withClause', 'relation']);

/**
 * Walks queries and expressions of one statement and fills its Facts. A node that is not known is descended
 * into, so that a relation is found wherever the grammar allows one. The walk keeps its own stack: a sum of
 * thousands of terms is a tree thousands of levels deep.
 */
export class QueryWalk {
  readonly facts: Facts;
  /** What a bare RangeVar outside of FROM means: DDL writes what it names, a query reads it. */
  readonly #bareWrites: boolean;
  /** Calls that stand bare in the target list of a SELECT without FROM. */
  readonly #runOnce = new Set<unknown>();

  constructor(facts: Facts, bareWrites = false) {
    this.facts = facts;
    this.#bareWrites = bareWrites;
  }

  /** Any node, list or scalar. */
  walk(root: unknown, scope: CteScope | null): void {
    const stack: unknown[] = [root];
    while (stack.length > 0) {
      const value = stack.pop();
      if (Array.isArray(value)) pushReversed(stack, value);
      else if (isNode(value)) this.#visit(value, scope, stack);
    }
  }

  #visit(node: TreeNode, scope: CteScope | null, stack: unknown[]): void {
    const tag = tagOf(node);
    if (tag === null) {
      if (typeof node.relname === 'string') this.#relation(node, scope);
      else if (Array.isArray(node.funcname) && 'funcformat' in node)
        pushReversed(stack, functionCall(this.facts, node, false));
      else pushFields(stack, node);
      return;
    }
    const inner = nodeOf(node[tag]);
    switch (tag) {
      case 'SelectStmt':
        this.select(inner, scope, false);
        return;
      case 'InsertStmt':
      case 'UpdateStmt':
      case 'DeleteStmt':
      case 'MergeStmt':
        this.change(tag, inner, scope);
        return;
      case 'RangeVar':
        this.#relation(inner, scope);
        return;
      case 'FuncCall':
        pushReversed(stack, [inner.agg_order, inner.agg_filter, inner.over]);
        pushReversed(stack, functionCall(this.facts, inner, this.#runOnce.has(node)));
        return;
      default:
        this.#expression(tag, inner);
        pushFields(stack, inner);
    }
  }

  /** Takes note of what an expression node tells besides its children. */
  #expression(tag: string, node: TreeNode): void {
    switch (tag) {
      case 'A_Const':
        if (isNode(node.sval) && MOMENT.test(textOf(node.sval.sval)))
          this.facts.hangsOn(`'${textOf(node.sval.sval).trim()}'`);
        return;
      case 'TypeCast':
        if (stringsOf(nodeOf(node.typeName).names).at(-1) === 'regclass') readNamed(this.facts, node.arg);
        return;
      case 'ColumnRef':
        if (SYSTEM_COLUMNS.has(stringsOf(node.fields).at(-1) ?? ''))
          this.facts.hangsOn(`the system column ${stringsOf(node.fields).at(-1)}`);
        return;
      case 'SQLValueFunction':
        this.facts.hangsOn(
          textOf(node.op)
            .replace(/^SVFOP_/, '')
            .replace(/_N$/, ''),
        );
        return;
      case 'RangeTableSample':
        this.facts.hangsOn('TABLESAMPLE');
        return;
      case 'CurrentOfExpr':
        this.facts.effects.push({ type: 'use-cursor', name: textOf(node.cursor_name) });
        return;
    }
  }

  #relation(rangeVar: TreeNode, scope: CteScope | null): void {
    const table = tableOf(rangeVar);
    if (table.schema === undefined && seesCte(scope, table.name)) return;
    if (this.#bareWrites) this.facts.write(table);
    else this.facts.reads.add(table);
  }

  /** A SELECT, VALUES or TABLE. `top`: the statement itself and not a part of one. */
  select(select: TreeNode, outer: CteScope | null, top: boolean): void {
    const query = this.#bareWrites ? new QueryWalk(this.facts) : this;
    query.#select(select, outer, top);
  }

  #select(select: TreeNode, outer: CteScope | null, top: boolean): void {
    const scope = openCteScope(select.withClause, outer, (query, seen) => this.walk(query, seen));
    if (top) {
      this.facts.ordered = select.sortClause !== undefined;
      if (isBare(select)) {
        for (const target of listOf(select.targetList)) this.#runOnce.add(inside(target, 'ResTarget')?.val);
      }
    }
    if (select.larg !== undefined) this.#operands(select, scope);
    const into = nodeOf(nodeOf(select.intoClause).rel);
    if (into.relname !== undefined) this.facts.define(tableOf(into), into.relpersistence === 't');
    for (const field in select) if (!SELECT_BY_HAND.has(field)) this.walk(select[field], scope);
    if (isCut(select)) this.facts.hangsOn('LIMIT or OFFSET without ORDER BY');
    for (const clause of listOf(select.lockingClause)) lockingClause(this.facts, clause, select, scope);
  }

  /** The operands of UNION, INTERSECT, EXCEPT from left to right: a long chain leans to the left, deep. */
  #operands(select: TreeNode, scope: CteScope | null): void {
    const stack: TreeNode[] = [nodeOf(select.rarg), nodeOf(select.larg)];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const plain = next.larg !== undefined && !PARENTHESISED.some((field) => next?.[field] !== undefined);
      if (plain) stack.push(nodeOf(next.rarg), nodeOf(next.larg));
      else this.#select(next, scope, false);
    }
  }

  /** INSERT, UPDATE, DELETE, MERGE. A target is never a WITH name. */
  change(tag: string, statement: TreeNode, outer: CteScope | null): void {
    const query = this.#bareWrites ? new QueryWalk(this.facts) : this;
    query.#change(tag, statement, outer);
  }

  #change(tag: string, statement: TreeNode, outer: CteScope | null): void {
    const scope = openCteScope(statement.withClause, outer, (query, seen) => this.walk(query, seen));
    changeTarget(this.facts, tag, statement);
    columnFills(this.facts, tag, statement);
    pinnedRows(this.facts, tag, statement);
    for (const field in statement) if (!DML_BY_HAND.has(field)) this.walk(statement[field], scope);
  }
}

/** What an operand of a set operation can only have in parentheses of its own. */
const PARENTHESISED = ['withClause', 'sortClause', 'limitCount', 'limitOffset', 'lockingClause'];

/** SELECT f(), g() and nothing else. */
function isBare(select: TreeNode): boolean {
  return !['fromClause', 'whereClause', 'larg', 'groupClause', 'havingClause', 'limitCount', 'limitOffset'].some(
    (field) => select[field] !== undefined,
  );
}

/** LIMIT or OFFSET without ORDER BY: which rows come hangs on where they lie. */
function isCut(select: TreeNode): boolean {
  if (select.sortClause !== undefined) return false;
  const limit = inside(select.limitCount, 'A_Const');
  const limited = select.limitCount !== undefined && limit?.isnull !== true;
  const rows = select.fromClause !== undefined || select.larg !== undefined;
  return rows && (limited || select.limitOffset !== undefined);
}

function pushReversed(stack: unknown[], values: readonly unknown[]): void {
  for (let at = values.length - 1; at >= 0; at -= 1) stack.push(values[at]);
}

function pushFields(stack: unknown[], node: TreeNode): void {
  const at = stack.length;
  for (const field in node) {
    const value = node[field];
    if (typeof value === 'object' && value !== null) stack.push(value);
  }
  // The first field is to be popped first.
  for (let low = at, high = stack.length - 1; low < high; low += 1, high -= 1) {
    const swapped = stack[low];
    stack[low] = stack[high];
    stack[high] = swapped;
  }
}
