import { isSystemSchema } from '../rules/table-name.js';
import type { FunctionName } from '../sql/statement.js';
import type { FunctionFacts } from './catalog-view.js';
import type { NameScope } from './resolve.js';

export interface FoundFunctions {
  readonly here: readonly FunctionFacts[];
  /** Not here: databases that have it. */
  readonly elsewhere: readonly string[];
  /** What it does is not known for sure: no catalog has it, that of this database could not be read, or it is PostgreSQL's own that runs what it is given. */
  readonly unknown: boolean;
}

const UNKNOWN: FoundFunctions = { here: [], elsewhere: [], unknown: true };

/**
 * The functions that a call may mean in a database: all of that name in the schemas of the search_path, since the
 * types of the arguments, which decide between them, are not known. Where nothing is known of that database's
 * functions, what another has is the best guess.
 */
export function functionsNamed(name: FunctionName, database: string, scope: NameScope): FoundFunctions {
  if (name.schema === 'pg_catalog') return UNKNOWN;
  const here = functionsAt(name, database, scope);
  if (here !== null && here.length > 0) return { here, elsewhere: [], unknown: false };
  const elsewhere = scope.context.rules.databases.filter(
    (other) => other !== database && (functionsAt(name, other, scope)?.length ?? 0) > 0,
  );
  const [first] = elsewhere;
  if (first === undefined) return UNKNOWN;
  if (here !== null) return { here, elsewhere, unknown: false };
  return { here: functionsAt(name, first, scope) ?? [], elsewhere: [], unknown: true };
}

/** The functions of that name in the schemas of the path; null: nothing is known of the database's. */
export function functionsAt(name: FunctionName, database: string, scope: NameScope): readonly FunctionFacts[] | null {
  const { catalog } = scope.context;
  if (catalog?.functions === undefined) return null;
  const schemas = name.schema === undefined ? scope.searchPath : [name.schema];
  const found: FunctionFacts[] = [];
  for (const schema of schemas) {
    if (isSystemSchema(schema)) continue;
    const some = catalog.functions(database, schema, name.name);
    if (some === null) return null;
    found.push(...some);
  }
  return found;
}

/** 'app.f()' */
export const functionText = (name: FunctionName): string =>
  `${name.schema === undefined ? '' : `${name.schema}.`}${name.name}()`;
