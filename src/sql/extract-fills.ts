import type { Facts } from './facts.js';
import { tableOf } from './names.js';
import type { ColumnFill } from './statement.js';
import { inside, isNode, listOf, nodeOf, type TreeNode, textOf } from './tree.js';

/** Which columns INSERT, UPDATE and MERGE fill, and which they leave to the table's defaults. */
export function columnFills(facts: Facts, tag: string, node: TreeNode): void {
  const table = tableOf(nodeOf(node.relation));
  const note = (fill: ColumnFill | null): void => {
    if (fill !== null) facts.fills.push(fill);
  };
  if (tag === 'InsertStmt') {
    note({ table, given: givenByInsert(node) });
    note(setToDefault(nodeOf(node.onConflictClause).targetList, node));
  } else if (tag === 'UpdateStmt') {
    note(setToDefault(node.targetList, node));
  } else if (tag === 'MergeStmt') {
    for (const item of listOf(node.mergeWhenClauses)) {
      const clause = inside(item, 'MergeWhenClause') ?? {};
      if (clause.commandType === 'CMD_INSERT') {
        const names = clause.targetList === undefined ? null : namesOf(clause.targetList);
        note({ table, given: givenBy(names, [listOf(clause.values)]) });
      } else note(setToDefault(clause.targetList, node));
    }
  }
}

type Given = Extract<ColumnFill, { given: unknown }>['given'];

function givenByInsert(node: TreeNode): Given {
  const names = node.cols === undefined ? null : namesOf(node.cols);
  const source = inside(node.selectStmt, 'SelectStmt');
  if (source === null) return [];
  const rows = listOf(source.valuesLists).map((row) => listOf(nodeOf(inside(row, 'List')).items));
  if (rows.length > 0) return givenBy(names, rows);
  if (names !== null) return names;
  const targets = listOf(firstOperand(source).targetList);
  const counted = targets.length > 0 && !targets.some(isStar);
  return counted ? targets.map((_, at) => at + 1) : 'unknown';
}

/** What each of the rows gives: a column that is DEFAULT in one of them is not given. */
function givenBy(names: readonly string[] | null, rows: readonly (readonly unknown[])[]): readonly (string | number)[] {
  const width = names?.length ?? Math.max(0, ...rows.map((row) => row.length));
  const places = Array.from({ length: width }, (_, at) => at);
  const given = places.filter((at) => !rows.some((row) => isDefault(row[at])));
  return given.map((at) => names?.[at] ?? at + 1);
}

function setToDefault(targets: unknown, node: TreeNode): ColumnFill | null {
  const defaults = listOf(targets)
    .map((target) => inside(target, 'ResTarget'))
    .filter((target) => target !== null && mayBeDefault(target.val))
    .map((target) => textOf(target?.name));
  return defaults.length === 0 ? null : { table: tableOf(nodeOf(node.relation)), defaults };
}

/** `(a, b) = (DEFAULT, 1)` says it within a row. */
function mayBeDefault(value: unknown): boolean {
  if (isDefault(value)) return true;
  const several = inside(value, 'MultiAssignRef');
  return several !== null && JSON.stringify(several.source ?? null).includes('"SetToDefault"');
}

const isDefault = (value: unknown): boolean => isNode(value) && value.SetToDefault !== undefined;

const namesOf = (targets: unknown): string[] =>
  listOf(targets).map((target) => textOf(inside(target, 'ResTarget')?.name));

/** The first query of UNION and its like says how many columns there are. */
function firstOperand(select: TreeNode): TreeNode {
  let first = select;
  while (isNode(first.larg)) first = first.larg;
  return first;
}

const isStar = (target: unknown): boolean =>
  listOf(inside(inside(target, 'ResTarget')?.val, 'ColumnRef')?.fields).some(
    (field) => isNode(field) && field.A_Star !== undefined,
  );
