import type { CatalogView } from '../../src/routing/catalog-view.js';
import { planStatement } from '../../src/routing/plan.js';
import { buildRuleSet } from '../../src/rules/build.js';
import { tableKey } from '../../src/rules/table-name.js';
import { splitPath } from '../../src/session/names/search-path.js';
import type { Statement } from '../../src/sql/statement.js';
import { type Said, sequencesOf } from './compare.js';
import type { Played } from './play.js';

/** Name of the one database that the cases run in. */
export const DATABASE = 'monolith';

const rules = buildRuleSet([], { defaultDatabase: DATABASE, version: 1 });

/** What the routes of a case's statements name, as a session that runs them in this order would plan them. */
export function saidByRoutes(played: Played, catalog: CatalogView): Said {
  const read = sequencesOf(played);
  const written = new Set<string>();
  let opaque = false;
  const prepared = new Map<string, Statement>();
  const ownRelations = new Map<string, string>();
  for (const { statement, searchPath, schemas, user, temporary } of played.statements) {
    const context = {
      rules,
      catalog,
      searchPath: splitPath(searchPath).map((schema) => (schema === '$user' ? user : schema)),
      tempTables: new Map(temporary.map((name) => [name.toLowerCase(), DATABASE])),
      service: 'ground-truth',
      ownRelations,
    };
    for (const planned of [statement, ...executed(statement, prepared)]) {
      const route = planStatement(planned, context);
      for (const name of route.reads) if (!isSystem(name)) read.add(name);
      for (const name of route.written) if (!isSystem(name)) written.add(name);
      opaque ||= route.opaque !== null;
    }
    for (const effect of statement.effects) {
      if (effect.type !== 'create-relation') continue;
      const schema = effect.table.schema ?? schemas.find((one) => !one.startsWith('pg_')) ?? 'public';
      ownRelations.set(tableKey(schema, effect.table.name), DATABASE);
    }
  }
  return { read, written, locked: null, opaque };
}

/** What EXECUTE runs is planned by the session, from what was prepared. */
function executed(statement: Statement, prepared: Map<string, Statement>): Statement[] {
  return statement.effects.flatMap((effect) => {
    if (effect.type === 'prepare') prepared.set(effect.name, effect.statement);
    const found = effect.type === 'execute' ? prepared.get(effect.name) : undefined;
    return found === undefined ? [] : [found];
  });
}

const isSystem = (key: string): boolean => /^(pg_catalog|information_schema)\./.test(key);
