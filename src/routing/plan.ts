import type { ParsedText, Statement } from '../sql/statement.js';
import type { RoutingContext } from './context.js';
import { fixedRoute } from './fixed-routes.js';
import { gatherNeeds, type Need, routeFacts } from './needs.js';
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
    if (effect.type === 'prepare') return freeze({ ...planStatement(effect.statement, context), writes: false });
  }
  const needs = gatherNeeds(statement, context);
  const route = fixedRoute(statement, needs, context) ?? planNeeds(statement, needs, context);
  return freeze(route);
}

/** The routes of a query string's statements, each as if it stood alone. */
export function planText(parsed: ParsedText, context: RoutingContext): readonly Route[] {
  return parsed.statements.map((statement) => planStatement(statement, context));
}

function planNeeds(statement: Statement, needs: readonly Need[], context: RoutingContext): Route {
  const facts = routeFacts(statement, needs);
  // The order of preference is that of what is written, since a write has fewer homes than a read.
  const bound = needs.filter((need) => need.homes !== null);
  const leading = bound.find((need) => need.access === 'write') ?? bound[0];
  const homes = (leading?.homes ?? []).filter((database) => bound.every((need) => need.homes?.includes(database)));
  const [database] = homes;
  if (database !== undefined) {
    return {
      ...facts,
      target: 'database',
      database,
      homes,
      error: null,
      reason: explainNeeds(statement, needs, context),
    };
  }
  const error = refusal(bound);
  return { ...facts, target: 'refused', database: null, homes: [], error, reason: error.message };
}

function freeze(route: Route): Route {
  Object.freeze(route.homes);
  Object.freeze(route.reads);
  Object.freeze(route.written);
  return Object.freeze(route);
}
