import { isNode, type TreeNode, textOf } from './tree.js';

/** A piece of SQL in a PL/pgSQL body. */
export interface BodyQuery {
  readonly text: string;
  /**
   * RawParseMode of parser.h, told by PLpgSQL_expr.parseMode: a whole statement; an expression; an assignment
   * `target := expression`. 'dynamic': an expression whose value is the SQL to run (EXECUTE).
   */
  readonly mode: 'statement' | 'expression' | 'assignment' | 'dynamic';
}

/** RAW_PARSE_DEFAULT, RAW_PARSE_PLPGSQL_EXPR; what is greater is RAW_PARSE_PLPGSQL_ASSIGN1 to 3. */
const STATEMENT = 0;
const EXPRESSION = 2;

/** EXECUTE and FOR ... IN EXECUTE have the text to run in `query`; OPEN and RETURN QUERY in `dynquery`. */
const RUNS_TEXT = new Set(['PLpgSQL_stmt_dynexecute', 'PLpgSQL_stmt_dynfors']);

/**
 * All SQL of a function in libpg_query's JSON: that of its declarations first (`datums`: defaults, bound cursors),
 * then that of its statements in the order of the text. The walk keeps its own stack: blocks nest without end.
 */
export function queriesOf(plpgsqlFunction: unknown): BodyQuery[] {
  const found: BodyQuery[] = [];
  const stack: { readonly value: unknown; readonly dynamic: boolean }[] = [{ value: plpgsqlFunction, dynamic: false }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { value, dynamic } = next;
    if (Array.isArray(value)) {
      for (let at = value.length - 1; at >= 0; at -= 1) stack.push({ value: value[at], dynamic: false });
    } else if (isNode(value)) {
      const expression = value.PLpgSQL_expr;
      if (isNode(expression)) found.push(queryOf(expression, dynamic));
      else pushFields(stack, value);
    }
  }
  return found;
}

function queryOf(expression: TreeNode, dynamic: boolean): BodyQuery {
  const text = textOf(expression.query);
  if (dynamic) return { text, mode: 'dynamic' };
  const mode = typeof expression.parseMode === 'number' ? expression.parseMode : STATEMENT;
  if (mode === STATEMENT) return { text, mode: 'statement' };
  return { text, mode: mode <= EXPRESSION ? 'expression' : 'assignment' };
}

function pushFields(stack: { readonly value: unknown; readonly dynamic: boolean }[], node: TreeNode): void {
  for (const [field, value] of Object.entries(node).reverse()) {
    if (typeof value !== 'object' || value === null) continue;
    // A statement's node is told by its tag, the fields stand one level below.
    if (RUNS_TEXT.has(field) && isNode(value)) pushRunner(stack, value);
    else stack.push({ value, dynamic: field === 'dynquery' });
  }
}

function pushRunner(stack: { readonly value: unknown; readonly dynamic: boolean }[], statement: TreeNode): void {
  for (const [field, value] of Object.entries(statement).reverse()) {
    if (typeof value === 'object' && value !== null) stack.push({ value, dynamic: field === 'query' });
  }
}

/** Whether the parser found a body in it at all: other languages have none. */
export function hasBody(plpgsqlFunction: unknown): boolean {
  return (
    isNode(plpgsqlFunction) &&
    isNode(plpgsqlFunction.PLpgSQL_function) &&
    isNode(plpgsqlFunction.PLpgSQL_function.action)
  );
}
