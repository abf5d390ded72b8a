const BLANK = /\s+/y;
const QUOTED = /(e?)'((?:[^']|'')*)'/iy;
const DOLLAR = /\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
const JOINED = /\|\|/y;

/**
 * The value of an expression that is one string constant, or several joined by `||`; null for any other. Strings are
 * read with standard_conforming_strings on; escapes in E'' are not read.
 */
export function constantText(expression: string): string | null {
  let value = '';
  for (let at = skip(BLANK, expression, 0); ; ) {
    const constant = constantAt(expression, at);
    if (constant === null) return null;
    value += constant.value;
    at = skip(BLANK, expression, constant.end);
    if (at === expression.length) return value;
    const next = skip(JOINED, expression, at);
    if (next === at) return null;
    at = skip(BLANK, expression, next);
  }
}

function constantAt(expression: string, at: number): { readonly value: string; readonly end: number } | null {
  QUOTED.lastIndex = at;
  const quoted = QUOTED.exec(expression);
  if (quoted !== null) {
    const value = (quoted[2] ?? '').replaceAll("''", "'");
    return quoted[1] !== '' && value.includes('\\') ? null : { value, end: QUOTED.lastIndex };
  }
  DOLLAR.lastIndex = at;
  const tag = DOLLAR.exec(expression)?.[0];
  if (tag === undefined) return null;
  const end = expression.indexOf(tag, at + tag.length);
  return end < 0 ? null : { value: expression.slice(at + tag.length, end), end: end + tag.length };
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
