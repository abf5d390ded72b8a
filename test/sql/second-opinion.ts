import { astVisitor, parse, type QName } from 'pgsql-ast-parser';

/** Tables as pgsql-ast-parser's tree names them, without the WITH names that stand for none; null: not accepted. */
export function secondOpinion(sql: string): Set<string> | null {
  const tables = new Set<string>();
  const withNames = new Set<string>();
  const add = ({ schema, name }: QName): void => {
    tables.add(schema === undefined ? name : `${schema}.${name}`);
  };
  const visitor = astVisitor((map) => ({
    tableRef: (ref) => add(ref),
    insert: (insert) => {
      add(insert.into);
      map.super().insert(insert);
    },
    with: (clause) => {
      for (const { alias } of clause.bind) withNames.add(alias.name);
      map.super().with(clause);
    },
    withRecursive: (clause) => {
      withNames.add(clause.alias.name);
      map.super().withRecursive(clause);
    },
  }));
  try {
    for (const statement of parse(sql)) {
      visitor.statement(statement);
      if (statement.type === 'truncate table') statement.tables.forEach(add);
    }
  } catch {
    return null;
  }
  for (const name of withNames) tables.delete(name);
  return tables;
}

/** Tables named in strings (regclass and its kin) and SELECT INTO's: only libpg-query's reader looks there. */
const UNSEEN =
  /regclass|_privilege|\bpg_(get|total|relation|table|indexes|partition|column)_|to_reg|table_to_xml|\bselect\b.*\binto\b/is;

/**
 * Where pgsql-ast-parser cannot have the right answer: it does not look at names in strings, neither cuts names
 * at 63 bytes nor unescapes quotes in them, and its visitor does not enter OVER (...). As `secondOpinion` takes a
 * WITH name for one in every scope, a text where a table has the name of one is left out too.
 */
export function isBeyondSecond(sql: string): boolean {
  if (!/^\W*(with|insert)\b/i.test(sql) && UNSEEN.test(sql)) return true;
  if (/regclass|""|"\w{64}|\b\w{64}|over \([^)]*select/i.test(sql)) return true;
  return /\bwith\b/i.test(sql) && /\b(\w+) as (materialized )?\(.*(from|join|into|,) (\w+\.)?\1\b/is.test(sql);
}
