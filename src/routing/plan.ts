import type { ParsedText, Statement } from '../sql/statement.js';
import type { RoutingContext } from './context.js';
import { fixedChoice } from './fixed-choices.js';
import { type Choice, makeRoute } from './make-route.js';
import { gatherNeeds, type Need } from './needs.js';
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
    if (effect.type === 'prepare') return Object.freeze({ ...planStatement(effect.statement, context), writes: false });
  }
  const needs = gatherNeeds(statement, context);
  return makeRoute(statement, needs, fixedChoice(statement, needs, context) ?? commonHome(statement, needs, context));
}

/** The routes of a query string's statements, each as if it stood alone. */
export function planText(parsed: ParsedText, context: RoutingContext): readonly Route[] {
  return parsed.statements.map((statement) => planStatement(statement, context));
}

function commonHome(statement: Statement, needs: readonly Need[], context: RoutingContext): Choice {
  // The order of preference is that of what is written, since a write has fewer homes than a read.
  const bound = needs.filter((need) => need.homes !== null);
  const leading = bound.find((need) => need.access === 'write') ?? bound[0];
  const homes = (leading?.homes ?? []).filter((database) => bound.every((need) => need.homes?.includes(database)));
  const [database] = homes;
  if (database !== undefined) {
    return { target: 'database', database, homes, reason: explainNeeds(statement, needs, context) };
  }
  const error = refusal(bound);
  return { target: 'refused', database: null, homes, reason: error.message, error };
}
