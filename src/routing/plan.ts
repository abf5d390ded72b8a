import { nameKey } from '../sql/names.js';
import type { ParsedText, Statement } from '../sql/statement.js';
import type { RoutingContext } from './context.js';
import { fixedChoice, unboundChoice } from './fixed-choices.js';
import { Follower } from './follow.js';
import { type Choice, makeRoute } from './make-route.js';
import { madeRelations, makesTemporary, namedNeeds } from './named-needs.js';
import type { Need, Needs } from './need.js';
import { explainNeeds, refusal } from './reasons.js';
import type { Route } from './route.js';

export type { RoutingContext } from './context.js';

/**
 * Decides where one statement goes: to the first database that is a home for everything that it reads and writes.
 * Pure and total: the same statement and context give an equal route, and nothing is thrown (a refusal is a route).
 * Depends on nothing else, so that a route may be kept as long as the context's parts are the same.
 */
export function planStatement(statement: Statement, context: RoutingContext): Route {
  for (const effect of statement.effects) {
    // Only preparing changes nothing; EXECUTE is planned by the session from the statement inside.
    if (effect.type === 'prepare') {
      const route = planStatement(effect.statement, context);
      return Object.freeze({ ...route, writes: false, writtenDomains: NONE, changedDomains: NONE });
    }
  }
  const named = namedNeeds(statement, context);
  const fixed = fixedChoice(statement, named, context);
  if (fixed !== null) return makeRoute(statement, { all: named, opaque: null, movesNames: false }, fixed);
  const [needs, choice] = commonHome(statement, named, context);
  return makeRoute(statement, needs, choice);
}

const NONE: readonly string[] = Object.freeze([]);

/** The routes of a query string's statements, each as if it stood alone. */
export function planText(parsed: ParsedText, context: RoutingContext): readonly Route[] {
  return parsed.statements.map((statement) => planStatement(statement, context));
}

/**
 * The homes of what the statement names are the candidates. What lies behind the names (views, functions, triggers)
 * is defined anew in each database, so it is followed in each candidate until one has all of it.
 */
function commonHome(statement: Statement, named: readonly Need[], context: RoutingContext): readonly [Needs, Choice] {
  const bound = named.filter((need) => need.homes !== null);
  const leading = leadingOf(bound);
  const candidates = (leading?.homes ?? context.rules.databases).filter((database) => hasAll(bound, database));
  const made = new Set(madeRelations(statement).map(nameKey));
  const needsOf = (database: string, namesOnly = false): readonly [string, Needs] => [
    database,
    needsAt(database, statement, named, { made, namesOnly }, context),
  ];
  const withAll = (followed: readonly (readonly [string, Needs])[]): readonly (readonly [string, Needs])[] =>
    followed.filter(([database, needs]) => hasAll(needs.all, database));
  const followed = candidates.map((database) => needsOf(database));
  let homes = byPreference(withAll(followed));
  // A view that no database can serve any more can still be dropped, altered or replaced.
  if (homes.length === 0 && statement.kind === 'ddl') {
    homes = withAll(candidates.map((database) => needsOf(database, true)));
  }
  const [first] = homes;
  if (first === undefined) {
    // The one that has at least the functions says most of what is missing.
    const [, needs] =
      followed.find(hasFunctions) ?? followed[0] ?? needsOf(leading?.homes?.[0] ?? context.rules.defaultDatabase);
    const error = refusal(needs.all);
    return [needs, { target: 'refused', database: null, homes: [], reason: error.message, error }];
  }
  const [database, needs] = first;
  if (isUnbound(needs)) {
    const everywhere = homes.length === context.rules.databases.length && homes.every(([, all]) => isUnbound(all));
    return [needs, unboundChoice(statement, needs, { first: database, everywhere }, context)];
  }
  const choice: Choice = {
    target: 'database',
    database,
    // Where it changes something else than in the first, the route would not tell what.
    homes: homes.filter(([, other]) => changesOf(other) === changesOf(needs)).map(([name]) => name),
    reason: explainNeeds(needs, database, context),
  };
  return [needs, choice];
}

const isUnbound = ({ all }: Needs): boolean => all.every((need) => need.homes === null);

const changesOf = ({ all }: Needs): string =>
  [...new Set(all.flatMap(({ access, what }) => (access === 'read' ? [] : [`${access} ${what}`])))].sort().join();

const hasFunctions = ([database, { all }]: readonly [string, Needs]): boolean =>
  hasAll(
    all.filter((need) => need.sort === 'function'),
    database,
  );

/**
 * What is behind a view or function may be at home in several databases: the one that is the best home of most of what
 * it needs comes first, so that reads that move do so through views too. The order of names does not matter.
 */
function byPreference(homes: readonly (readonly [string, Needs])[]): readonly (readonly [string, Needs])[] {
  if (homes.length < 2) return homes;
  const cost = ([database, { all }]: readonly [string, Needs]): number =>
    all.filter(({ homes: best, table }) => best !== null && table?.nature !== 'view' && best[0] !== database).length;
  return homes.toSorted((a, b) => cost(a) - cost(b));
}

/** The order of preference is that of what is written, since a write has fewer homes than a read. */
const leadingOf = (needs: readonly Need[]): Need | undefined =>
  needs.find((need) => need.access === 'write') ?? needs[0];

const hasAll = (needs: readonly Need[], database: string): boolean =>
  needs.every((need) => need.homes === null || need.homes.includes(database));

function needsAt(
  database: string,
  statement: Statement,
  named: readonly Need[],
  { made, namesOnly }: { readonly made: ReadonlySet<string>; readonly namesOnly: boolean },
  context: RoutingContext,
): Needs {
  const follower = new Follower(database, context, named);
  follower.statement(statement, made, namesOnly);
  const needs = follower.result();
  const hides = statement.effects.some(
    (effect) => effect.type === 'create-relation' && makesTemporary(effect.table, context),
  );
  return hides ? { ...needs, movesNames: true } : needs;
}
