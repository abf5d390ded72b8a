import type { PgfigError } from '../../errors/pgfig-error.js';
import type { RoutingContext } from '../../routing/context.js';
import type { Route } from '../../routing/route.js';
import { decidesByNames } from '../../rules/statement-mirror.js';
import type { ParsedText, SessionEffect, Statement } from '../../sql/statement.js';
import type { CachedStatement } from '../../sql/statement-cache.js';
import { type MirroredDomain, mayCommitInside, mirroredBy } from '../apply/mirrored.js';
import type { Counter, TrafficCounters } from '../counters.js';
import { PlanTallies, type TextIdentity } from '../counting/plan-tallies.js';
import { mirrorOfText, type PlanMirror } from './plan-mirror.js';
import { planString } from './string-plan.js';

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
  /** Domains that it writes or locks, of those that the session reads from a new database; null: none that counts. */
  readonly marks: readonly string[] | null;
  /** Mirrored domains that it writes, or may write; null: none. */
  readonly mirrored: readonly MirroredDomain[] | null;
  /** Part of it may be committed though all of it fails. */
  readonly commitsInside: boolean;
  /** What becomes of it is watched: it defines something, or is mirrored. */
  readonly watched: boolean;
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
  /** What comes next waits until it is done, as it may depend on it. */
  readonly settles: boolean;
  /** May change what names mean in a way that its text does not show. */
  readonly unseen: boolean;
  readonly error: PgfigError | null;
  /** Defines or changes relations or types. */
  readonly ddl: boolean;
  /** Could not be understood. */
  readonly opaque: boolean;
  readonly kind: string;
  readonly domain: string;
  /** The counter of its database; of the one used last where any will do. */
  counter: Counter;
  /** What it leaves in the matrix. */
  readonly tallies: PlanTallies;
  /** What the statement mirror has to do; null for a text that touches nothing that is mirrored so. */
  readonly mirror: PlanMirror | null;
  /** The plan of the same text in another context: the one used before this. */
  next: TextPlan | null;
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

/** Plans of one text for several contexts that are kept: shares of sessions read in different places. */
const SLOTS = 8;

/** The plan of a cached text in this context; made when it is not there yet. */
export function planOf(
  cached: CachedStatement<TextPlan>,
  context: RoutingContext,
  counters: TrafficCounters,
): TextPlan {
  const known = cached.extra;
  if (known !== null && known.context === context) return known;
  return toFront(cached, context) ?? addPlan(cached, makePlan(cached, context, counters));
}

/** The plan used last stands first. */
function toFront(cached: CachedStatement<TextPlan>, context: RoutingContext): TextPlan | null {
  let before = cached.extra;
  for (let plan = before?.next ?? null; before !== null && plan !== null; before = plan, plan = plan.next) {
    if (plan.context !== context) continue;
    before.next = plan.next;
    plan.next = cached.extra;
    cached.extra = plan;
    return plan;
  }
  return null;
}

/** Plans by older rules, or an older catalog, make room. */
function addPlan(cached: CachedStatement<TextPlan>, added: TextPlan): TextPlan {
  let last = added;
  let kept = 1;
  for (let plan = cached.extra; plan !== null && kept < SLOTS; plan = plan.next) {
    if (isOlder(plan.context, added.context)) continue;
    last.next = plan;
    last = plan;
    kept++;
  }
  last.next = null;
  cached.extra = added;
  return added;
}

const isOlder = (one: RoutingContext, other: RoutingContext): boolean =>
  one.rules.version < other.rules.version || (one.catalog?.version ?? 0) < (other.catalog?.version ?? 0);

function makePlan(
  { parsed, ...identity }: TextIdentity & { readonly parsed: ParsedText },
  context: RoutingContext,
  counters: TrafficCounters,
): TextPlan {
  const routes = planString(parsed, context);
  const effects = parsed.statements.flatMap((statement) => statement.effects);
  const single = parsed.statements.length === 1;
  const { database, spans } = commonDatabase(routes);
  const control = single ? (effects.find(isControl) ?? null) : null;
  const error = routes.find((route) => route.error !== null)?.error ?? null;
  const everywhere = routes.some((route) => route.target === 'every');
  const kind = single ? (parsed.statements[0]?.kind ?? 'other') : parsed.statements.length === 0 ? 'empty' : 'several';
  const domain = routes.find((route) => route.domain !== null)?.domain ?? '';
  const ddl = parsed.statements.some(definesSomething);
  const unseen = decidesByNames(context.rules) && parsed.statements.some((one, at) => isUnseen(one, routes[at]));
  const settles = effects.length > 0 || unseen || (ddl && decidesByNames(context.rules));
  const commitsInside = !single || control === null ? mayCommitInside(parsed.statements) : false;
  const mirrored = mirroredBy(parsed.statements, routes, context, spans ? null : database);
  const mirror = mirrorOfText(parsed, routes, context);
  return {
    context,
    parsed,
    routes,
    plain: single && !settles && error === null && !everywhere && mirror === null,
    database,
    everywhere,
    writes: routes.some((route) => route.writes),
    marks: marksOf(routes, context),
    mirrored,
    commitsInside,
    watched: ddl || mirrored !== null,
    spans,
    control,
    controlInside: !single && effects.some(isControl),
    effects,
    settles,
    unseen,
    error,
    ddl,
    opaque: parsed.statements.some(isOpaque),
    kind,
    domain,
    counter: counters.counter(database ?? context.rules.defaultDatabase, kind, domain),
    tallies: new PlanTallies(identity, parsed.statements, routes),
    mirror,
    next: null,
  };
}

/** Views, functions, triggers, tables may be others afterwards: the catalog has to be read again. */
const definesSomething = ({ kind, opaque, effects }: Statement): boolean =>
  kind === 'ddl' ||
  kind === 'commit-prepared' ||
  (kind === 'do' && opaque !== null) ||
  effects.some(({ type }) => type === 'create-relation' || type === 'drop-table');

const isOpaque = (statement: Statement): boolean => statement.kind === 'unparsable' || statement.kind === 'do';

const UNSEEN: ReadonlySet<string> = new Set(['unparsable', 'do', 'call']);
const isUnseen = (statement: Statement, route: Route | undefined): boolean =>
  route?.movesNames === true ||
  (UNSEEN.has(statement.kind) && (route?.opaque !== null || statement.kind === 'unparsable'));

/** What is not seen through may have written any of them. */
function marksOf(routes: readonly Route[], { readsNew, written }: RoutingContext): readonly string[] | null {
  if (readsNew === undefined || readsNew.size === 0) return null;
  const marks = new Set<string>();
  for (const route of routes) {
    if (!route.writes && route.opaque === null) continue;
    const domains = route.opaque === null ? route.writtenDomains : readsNew;
    for (const domain of domains) if (readsNew.has(domain) && written?.has(domain) !== true) marks.add(domain);
  }
  return marks.size === 0 ? null : [...marks];
}

/**
 * The one database that serves every statement of a text: the first that is a home of all of them, in the order of the
 * one that writes, which has fewer; null where any will do.
 */
function commonDatabase(routes: readonly Route[]): { readonly database: string | null; readonly spans: boolean } {
  const bound = routes.filter((route) => route.target === 'database' && route.database !== null);
  const leading = bound.find((route) => route.writes) ?? bound[0];
  if (leading === undefined) return { database: null, spans: false };
  if (bound.every((route) => route.database === leading.database)) return { database: leading.database, spans: false };
  const common = leading.homes.find((home) => bound.every((route) => route.homes.includes(home)));
  return { database: common ?? leading.database, spans: common === undefined };
}
