/** The routing rules as the router sees them: one frozen value, swapped whole. */

export type Phase = 'monolith' | 'dual-write' | 'shadow-read' | 'read-new' | 'write-new' | 'retired';

export interface MirrorRule {
  readonly capture: 'outbox' | 'statement' | 'none';
  readonly apply: 'sync' | 'async';
  /** Milliseconds. */
  readonly syncTimeout: number;
  /** Milliseconds; for `capture: statement`. */
  readonly statementTimeout: number;
  /** Whether triggers of the copy refuse what does not come from the relay. */
  readonly guard: 'on' | 'off';
}

export interface ReadsRule {
  /** Percentage of the sessions (0 to 100) whose reads go to the new database. */
  readonly new: number;
  /** Services all of whose sessions read there. */
  readonly services: readonly string[];
}

export interface ShadowRule {
  /** Percentage of reads (0 to 100) that are compared. */
  readonly sample: number;
}

/** The change feed of a mirrored domain. */
export interface EventsRule {
  /** Without kafka.topicPrefix; null: the domain's name. */
  readonly topic: string | null;
  /** One topic for the domain, or one for each table. */
  readonly per: 'domain' | 'table';
  readonly envelope: 'plain' | 'cloudevents' | 'debezium';
}

/** What the columns of an outbox table are called. */
export interface OutboxColumns {
  readonly id: string;
  /** null: the domain's name stands for it. */
  readonly aggregateType: string | null;
  readonly aggregateId: string;
  readonly type: string;
  readonly payload: string;
  /** By which events are put in order; 'xmin': transaction ids; null: what can be found. */
  readonly order: string | null;
  /** Set when an event was sent, where events are marked. */
  readonly sentAt: string;
}

/** Outbox tables of an application, relayed to Kafka. */
export interface OutboxRule {
  /** 'schema.table' */
  readonly tables: readonly string[];
  /** Whether what `pgfig.publish` is given is relayed, too. */
  readonly publish: boolean;
  readonly columns: OutboxColumns;
  /** Without kafka.topicPrefix; `{aggregatetype}` stands for the event's. */
  readonly topic: string;
  readonly after: 'delete' | 'mark';
  readonly envelope: 'plain' | 'cloudevents';
}

export interface Domain {
  readonly name: string;
  readonly database: string;
  /** 'schema.table', folded as Postgres would. */
  readonly tables: readonly string[];
  /** 'schema.table' of what `database` has for itself: what is defined there means its own. */
  readonly local?: readonly string[];
  readonly phase: Phase;
  readonly owner: string | null;
  readonly crossDatabase: 'refuse';
  readonly file: string;
  /** Kept for the phases that use them. `reads` is always there in phase `read-new`. */
  readonly mirror?: MirrorRule;
  readonly reads?: ReadsRule;
  readonly shadow?: ShadowRule;
  readonly events?: EventsRule;
  readonly outbox?: OutboxRule;
}

export interface RuleSet {
  /** Grows by one with every set that took effect in this process group. */
  readonly version: number;
  readonly loadedAt: Date;
  readonly domains: readonly Domain[];
  /** 'schema.table' -> its domain */
  readonly tables: ReadonlyMap<string, Domain>;
  /** Name of the default database, home of every table without a rule. */
  readonly defaultDatabase: string;
  /** Databases in which some table has a home, the default database first, the others by name. */
  readonly databases: readonly string[];
}
