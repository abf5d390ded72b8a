import type { Facts } from './facts.js';
import { tableOf } from './names.js';
import type { Pin } from './statement.js';
import { constantOf, inside, listOf, nodeOf, stringsOf, type TreeNode, textOf } from './tree.js';

/** Rows that are named by one statement; of more, the first tell enough. */
const MOST_ROWS = 10;

/** Set while somebody wants them: cached statements have no literals, and no room for what nobody asks for. */
let wanted = false;

/** Parses with the rows that changes name by values; without this, `Statement.pins` is absent. */
export function withPins<T>(parse: () => T): T {
  wanted = true;
  try {
    return parse();
  } finally {
    wanted = false;
  }
}

/**
 * The rows that a change names by constants and parameters: `WHERE a = 1 AND b = $2`, `WHERE a IN (1, 2)`, and the
 * rows of VALUES. Which of the columns are a key is for others to know.
 */
export function pinnedRows(facts: Facts, tag: string, node: TreeNode): void {
  if (!wanted) return;
  const table = tableOf(nodeOf(node.relation));
  const rows = tag === 'InsertStmt' ? insertedRows(node) : rowsOfWhere(node.whereClause);
  for (const row of rows.slice(0, MOST_ROWS)) if (row.length > 0) facts.pins.push({ table, row });
}

function insertedRows(node: TreeNode): Pin[][] {
  const names = node.cols === undefined ? null : listOf(node.cols).map((col) => textOf(inside(col, 'ResTarget')?.name));
  const lists = listOf(inside(node.selectStmt, 'SelectStmt')?.valuesLists).slice(0, MOST_ROWS);
  return lists.map((list) =>
    listOf(nodeOf(inside(list, 'List')).items).flatMap((item, at) => pin(names === null ? at + 1 : names[at], item)),
  );
}

/** One row of equalities; of IN over a single column, one for each value. */
function rowsOfWhere(where: unknown): Pin[][] {
  const terms = termsOf(where).map((term) => inside(term, 'A_Expr') ?? {});
  const equal = terms.filter(({ kind, name }) => kind === 'AEXPR_OP' && stringsOf(name)[0] === '=').flatMap(equality);
  if (equal.length > 0) return [equal];
  const [only] = terms.filter(({ kind, name }) => kind === 'AEXPR_IN' && stringsOf(name)[0] === '=');
  if (only === undefined) return [];
  const values = listOf(nodeOf(inside(only.rexpr, 'List')).items);
  return values.map((value) => pin(columnOf(only.lexpr), value));
}

function termsOf(where: unknown): readonly unknown[] {
  const both = inside(where, 'BoolExpr');
  if (both === null) return where === undefined ? [] : [where];
  return both.boolop === 'AND_EXPR' ? listOf(both.args) : [];
}

function equality({ lexpr, rexpr }: TreeNode): Pin[] {
  const [left, right] = [columnOf(lexpr), columnOf(rexpr)];
  return left === undefined ? pin(right, lexpr) : pin(left, rexpr);
}

const columnOf = (value: unknown): string | undefined => stringsOf(inside(value, 'ColumnRef')?.fields).at(-1);

function pin(column: string | number | undefined, value: unknown): Pin[] {
  if (column === undefined || column === '') return [];
  const bare = inside(value, 'TypeCast')?.arg ?? value;
  const parameter = inside(bare, 'ParamRef')?.number;
  if (typeof parameter === 'number') return [{ column, value: parameter }];
  const constant = constantOf(bare);
  return constant === null ? [] : [{ column, value: constant }];
}
