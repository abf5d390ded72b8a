import type { PgfigError } from '../errors/pgfig-error.js';
import type { RoutingContext } from '../routing/context.js';
import { planText } from '../routing/plan.js';
import type { Route } from '../routing/route.js';
import type { ParsedText, SessionEffect, Statement } from '../sql/statement.js';
import type { CachedStatement } from '../sql/statement-cache.js';
import type { Counter, TrafficCounters } from './counters.js';

/** What a session must do besides forwarding, for a text of one statement. */
export type Control = Extract<
  SessionEffect['type'],
  'begin' | 'commit' | 'rollback' | 'savepoint' | 'release' | 'rollback-to' | 'prepare-transaction' | 'set-transaction'
>;

/**
 * The routes of a query string under one routing context, digested for the session: kept on the entry of the
 * statement cache, so that the hot path is a look-up and a compare.
 */
export interface TextPlan {
  readonly context: RoutingContext;
  readonly parsed: ParsedText;
  readonly routes: readonly Route[];
  /** One statement, to one database or to any, that changes nothing of session or transaction. */
  readonly plain: boolean;
  /** The one database that serves all of it; null: any will do. Not to be used when `error` or `spans`. */
  readonly database: string | null;
  /** Has to run on every open link, or on every routed database. */
  readonly everywhere: boolean;
  /** Counts as a write. */
  readonly writes: boolean;
  /** Its statements belong to several databases. */
  readonly spans: boolean;
  /** Transaction control, where the text is that one statement. */
  readonly control: SessionEffect | null;
  /** Some statement of several controls transactions. */
  readonly controlInside: boolean;
  readonly effects: readonly SessionEffect[];
  readonly error: PgfigError | null;
  /** Defines or changes relations or types. */
  readonly ddl: boolean;
  /** Could not be understood. */
  readonly opaque: boolean;
  readonly kind: string;
  readonly domain: string;
  /** The counter of its database; of the one used last where any will do. */
  counter: Counter;
}

const CONTROLS: ReadonlySet<string> = new Set<Control>([
  'begin',
  'commit',
  'rollback',
  'savepoint',
  'release',
  'rollback-to',
  'prepare-transaction',
  'set-transaction',
]);
const isControl = (effect: SessionEffect): boolean =>
  CONTROLS.has(effect.type) && !(effect.type === 'set-transaction' && effect.session);

/** The plan of a cached text in this context; made when it is not there yet, or was made for another. */
export function planOf(
  cached: CachedStatement<TextPlan>,
  context: RoutingContext,
  counters: TrafficCounters,
): TextPlan {
  const known = cached.extra;
  if (known !== null && known.context === context) return known;
  const plan = makePlan(cached.parsed, context, counters);
  cached.extra = plan;
  return plan;
}

function makePlan(parsed: ParsedText, context: RoutingContext, counters: TrafficCounters): TextPlan {
  const routes = planText(parsed, context);
  const effects = parsed.statements.flatMap((statement) => statement.effects);
  const single = parsed.statements.length === 1;
  const databases = new Set<string>();
  for (const route of routes) if (route.target === 'database' && route.database !== null) databases.add(route.database);
  const database = databases.size === 0 ? null : (databases.values().next().value ?? null);
  const control = single ? (effects.find(isControl) ?? null) : null;
  const error = routes.find((route) => route.error !== null)?.error ?? null;
  const everywhere = routes.some((route) => route.target === 'every');
  const kind = single ? (parsed.statements[0]?.kind ?? 'other') : parsed.statements.length === 0 ? 'empty' : 'several';
  const domain = routes.find((route) => route.domain !== null)?.domain ?? '';
  return {
    context,
    parsed,
    routes,
    plain: single && effects.length === 0 && error === null && !everywhere,
    database,
    everywhere,
    writes: routes.some((route) => route.writes),
    spans: databases.size > 1,
    control,
    controlInside: !single && effects.some(isControl),
    effects,
    error,
    ddl: parsed.statements.some((statement) => statement.kind === 'ddl'),
    opaque: parsed.statements.some(isOpaque),
    kind,
    domain,
    counter: counters.counter(database ?? context.rules.defaultDatabase, kind, domain),
  };
}

const isOpaque = (statement: Statement): boolean => statement.kind === 'unparsable' || statement.kind === 'do';
