/**
 * libpg_query reads PL/pgSQL without a catalog: it cannot know whether a type is composite. So it refuses
 * `o.id := 1` where o is `orders%ROWTYPE`, and `INTO a, b` and `FOR a, b IN` where a is of an enum or an extension's
 * type. What a body touches does not depend on its variables: a definition that was refused is made plainer, and
 * read again. Replacing may hit a comment or a string, which harms nothing here.
 */
const NAME = '(?:"(?:[^"]|"")*"|[A-Za-z_\\u0080-\\uffff][\\w$\\u0080-\\uffff]*)';
const QUALIFIED = `${NAME}(?:\\s*\\.\\s*${NAME})*(?:\\s*\\[[^\\]]*\\])*`;

const ROWTYPE = new RegExp(`${QUALIFIED}\\s*%\\s*rowtype\\b`, 'gi');
/** INTO with several targets; that of INSERT INTO and MERGE INTO is a table. */
const INTO_LIST = new RegExp(
  `(?<!\\b(?:insert|merge)\\s+)\\binto\\s+(strict\\s+)?${QUALIFIED}(?:\\s*,\\s*${QUALIFIED})+`,
  'gi',
);
const FOR_LIST = new RegExp(`\\bfor\\s+${QUALIFIED}(?:\\s*,\\s*${QUALIFIED})+\\s+in\\b`, 'gi');

/** The definition with records for row types, and the variable that every function has for lists of variables. */
export function plainer(definition: string): string {
  return definition
    .replace(ROWTYPE, 'record')
    .replace(INTO_LIST, (_list, strict: string | undefined) => `INTO ${strict ?? ''}found`)
    .replace(FOR_LIST, 'FOR found IN');
}

/**
 * Where the parser's message says that a field of a variable is not known, the definition with that variable declared
 * as a record; null where the message is another or the declaration is not found.
 */
export function withRecord(definition: string, message: string): string | null {
  const variable = /^"(.+?)\..*" is not a known variable$/.exec(message)?.[1];
  if (variable === undefined) return null;
  const name = variable.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const type = `(?!record\\b)${NAME}(?:\\s*\\.\\s*${NAME})*(?:\\s*%\\s*type\\b)?(?:\\s*\\([\\d\\s,]*\\))?`;
  const declaration = new RegExp(
    `(^|[;\\s])("?)${name}\\2\\s+(constant\\s+)?${type}(?=\\s*(?:;|:=|=|default\\b|not\\b))`,
    'i',
  );
  const changed = definition.replace(
    declaration,
    (_all, before: string, quote: string, constant: string | undefined) =>
      `${before}${quote}${variable}${quote} ${constant ?? ''}record`,
  );
  return changed === definition ? null : changed;
}
