/**
 * Reading libpg-query's JSON tree. A node is an object with one key, its tag, in capitals
 * (`{"RangeVar":{...}}`); where the C struct's field has a fixed type the tag is left out
 * (`InsertStmt.relation` is a bare RangeVar). Fields that are zero, false, empty or null are absent.
 */
export interface TreeNode {
  readonly [field: string]: unknown;
}

export interface RawStatement {
  readonly stmt?: TreeNode;
  /** UTF-8 bytes; absent: 0. */
  readonly stmt_location?: number;
  /** UTF-8 bytes; absent: to the end of the text. */
  readonly stmt_len?: number;
}

export interface ParseTree {
  readonly stmts?: readonly RawStatement[];
}

const NOTHING: TreeNode = Object.freeze({});

export function isNode(value: unknown): value is TreeNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The field as a node; an empty one where it is absent. */
export function nodeOf(value: unknown): TreeNode {
  return isNode(value) ? value : NOTHING;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The tag of a node, or null for a bare struct. */
export function tagOf(node: TreeNode): string | null {
  for (const key in node) {
    const first = key.charCodeAt(0);
    return first >= 65 && first <= 90 ? key : null;
  }
  return null;
}

/** What stands under `tag`, or null where the node is another. */
export function inside(value: unknown, tag: string): TreeNode | null {
  if (!isNode(value)) return null;
  const inner = value[tag];
  return isNode(inner) ? inner : null;
}

/** `[{"String":{"sval":"a"}}, ...]` as strings. */
export function stringsOf(value: unknown): string[] {
  return listOf(value).map((item) => textOf(inside(item, 'String')?.sval));
}

/** A constant as text, null where it is none: numbers in decimal, booleans as 'true' and 'false', casts looked through. */
export function constantOf(value: unknown): string | null {
  const cast = inside(value, 'TypeCast');
  if (cast !== null) return isTextual(nodeOf(cast.typeName)) ? constantOf(cast.arg) : null;
  const constant = inside(value, 'A_Const');
  if (constant === null || constant.isnull === true) return null;
  if (isNode(constant.sval)) return textOf(constant.sval.sval);
  if (isNode(constant.ival)) return String(constant.ival.ival ?? 0);
  if (isNode(constant.fval)) return textOf(constant.fval.fval);
  if (isNode(constant.boolval)) return constant.boolval.boolval === true ? 'true' : 'false';
  return null;
}

/** Types whose cast leaves the constant's text as it is, as far as it is read here. */
const TEXTUAL = new Set(['text', 'varchar', 'bpchar', 'name', 'regclass', 'unknown', 'cstring', 'bool']);

function isTextual(typeName: TreeNode): boolean {
  return TEXTUAL.has(stringsOf(typeName.names).at(-1) ?? '') && typeName.typmods === undefined;
}
