import type { CircuitBreaker } from '../backend/circuit-breaker.js';
import type { Config, DatabaseConfig } from '../config/config.js';
import type { ServiceNames } from '../config/service-names.js';
import type { TallyBook } from '../matrix/tally-book.js';
import type { CatalogView } from '../routing/catalog-view.js';
import type { RoutingContext } from '../routing/context.js';
import type { RuleSet } from '../rules/rule-set.js';
import type { StatementCache } from '../sql/statement-cache.js';
import type { Turns } from './apply/turns.js';
import type { Console } from './console/console.js';
import type { TrafficCounters } from './counters.js';
import type { MirrorGate } from './mirror/mirror-gate.js';
import type { ContextFacts } from './names/contexts.js';
import type { TextPlan } from './plan/text-plan.js';
import type { SessionRegistry } from './session-registry.js';
import type { TrafficEvents } from './traffic-events.js';

/** What the sessions of one worker share. */
export interface Traffic {
  readonly config: Config;
  readonly workerId: number;
  readonly cache: StatementCache<TextPlan>;
  readonly counters: TrafficCounters;
  readonly events: TrafficEvents;
  readonly breaker: CircuitBreaker;
  /** Which new databases the statement mirrors leave alone for a while. */
  readonly mirrorGate: MirrorGate;
  readonly tracing: boolean;
  readonly registry: SessionRegistry;
  /** What answers on the virtual database `pgfig`. */
  readonly console: Console;
  /** Which statements are told to `events.statementDone`: asked once for each; null: none. */
  readonly accessLog: { wants(service: string): boolean } | null;
  /** What the services are called. */
  readonly services: ServiceNames;
  /** Where the matrix is counted; null: it is not. */
  readonly book: TallyBook | null;
  /** Where commits wait for the copies of what they have written. */
  readonly turns: Turns;
  rules: RuleSet;
  catalog: CatalogView | null;
  /** Grows when rules or catalog change: a session compares it before it plans. */
  generation: number;
  /** Resolves when the catalog shows what is committed now, or after a while; never rejects. */
  catalogAfterDdl(): Promise<boolean>;
  /** Databases by name, as configured. */
  database(name: string): DatabaseConfig;
  /** The same context but for what names mean to the session: by the rules that it has. */
  contextLike(context: RoutingContext, facts: ContextFacts): RoutingContext;
  /** The routing context of these facts; sessions with the same facts get the same object, and share plans. */
  contextOf(facts: ContextFacts): RoutingContext;
  /** The session has ended. */
  closed(pid: number): void;
}
