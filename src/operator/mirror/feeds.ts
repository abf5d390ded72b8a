import type { Logger } from 'pino';
import type { Config, KafkaConfig } from '../../config/config.js';
import type { FeedListener, FeedStatus, OpenSink } from '../../events/event.js';
import { ChangeFeed } from '../../events/feed/change-feed.js';
import { endConsumer } from '../../events/feed/positions.js';
import { OutboxFeed } from '../../events/outbox/outbox-feed.js';
import { openMirrorClient } from '../../mirror/connection.js';
import { mirrorOf } from '../../mirror/mirror.js';
import { feedTopic, outboxTopic } from '../../rules/events-rule.js';
import { authoritative } from '../../rules/phases.js';
import type { Domain, EventsRule, OutboxRule, RuleSet } from '../../rules/rule-set.js';
import { openKafka } from '../kafka/client.js';
import { kafkaSinks } from '../kafka/event-sink.js';
import { errorFields } from '../log/logger.js';
import { OnceAMinute } from '../log/once-a-minute.js';
import { eventMetrics } from '../metrics/event-metrics.js';
import type { Metric } from '../metrics/metric-json.js';
import { releaseUnwantedFeeds } from './unwanted-feeds.js';

/** A statement of a feed takes longer only where something is wrong. */
const STATEMENT_TIMEOUT_MS = 120_000;

/** What feeds and outbox relays have in common. */
interface Feed {
  readonly status: FeedStatus;
  poke(): void;
  retry(): void;
  close(): Promise<void>;
}

/** A feed that the rules ask for: by all of this it is known whether a running one may stay. */
interface Wanted {
  readonly kind: FeedStatus['kind'];
  readonly domain: string;
  /** Database. */
  readonly source: string;
  readonly rule: EventsRule | OutboxRule;
  start(): Feed;
}

interface Running {
  readonly wanted: Wanted;
  readonly spec: string;
  readonly feed: Feed;
}

/** Starts what the rules want sent to Kafka; null: pgfig.yaml names no brokers. @throws PgfigError FILE_UNREADABLE */
export function startFeeds(config: Config, rules: RuleSet, log: Logger): Feeds | null {
  void releaseUnwantedFeeds(config, rules, log);
  if (config.kafka === null) return null;
  const feeds = new Feeds(config, config.kafka, log);
  feeds.update(rules);
  return feeds;
}

/** The change feeds and outbox relays of one instance. In a fleet one instance runs each, and the others stand by. */
export class Feeds {
  readonly #config: Config;
  readonly #prefix: string;
  readonly #log: Logger;
  readonly #openSink: OpenSink;
  readonly #running = new Map<string, Running>();
  /** What is being ended; a feed that takes its place may begin meanwhile, and stands by. */
  readonly #ending = new Set<Promise<void>>();

  constructor(config: Config, kafka: KafkaConfig, log: Logger) {
    this.#config = config;
    this.#prefix = kafka.topicPrefix;
    this.#log = log;
    this.#openSink = kafkaSinks(openKafka(kafka, log), `pgfig.${kafka.topicPrefix}`);
  }

  get status(): readonly FeedStatus[] {
    return [...this.#running.values()].map(({ feed }) => feed.status);
  }

  metrics(): Metric[] {
    return eventMetrics(this.status);
  }

  /** Ends and starts what the rules say differently now. */
  update(rules: RuleSet): void {
    const wanted = new Map(rules.domains.flatMap((domain) => this.#wanted(domain, rules.defaultDatabase)));
    for (const [name, running] of this.#running) {
      const next = wanted.get(name);
      if (next !== undefined && specOf(next) === running.spec) continue;
      this.#running.delete(name);
      const domain = rules.domains.find((one) => one.name === running.wanted.domain);
      const forGood =
        next === undefined &&
        running.wanted.kind === 'changes' &&
        domain !== undefined &&
        this.#mirrored(domain, rules);
      this.#end(running, forGood);
    }
    for (const [name, next] of wanted) {
      if (!this.#running.has(name)) this.#running.set(name, { wanted: next, spec: specOf(next), feed: next.start() });
    }
  }

  /** Something of these domains was written. */
  poke(domains: Iterable<string>): void {
    for (const domain of domains) for (const feed of this.#of(domain)) feed.poke();
  }

  /** What is stalled of a domain is tried again now. @returns its feeds, as they stood */
  retry(domain: string): readonly FeedStatus[] {
    return [...this.#of(domain)].map((feed) => {
      const { status } = feed;
      feed.retry();
      return status;
    });
  }

  async close(): Promise<void> {
    const all = [...this.#running.values()];
    this.#running.clear();
    await Promise.all([...all.map(({ feed }) => feed.close()), ...this.#ending]);
  }

  *#of(domain: string): Iterable<Feed> {
    for (const { wanted, feed } of this.#running.values()) if (wanted.domain === domain) yield feed;
  }

  #mirrored(domain: Domain, rules: RuleSet): boolean {
    return mirrorOf(domain, rules.defaultDatabase) !== null;
  }

  #wanted(domain: Domain, defaultDatabase: string): [string, Wanted][] {
    const { name, events, outbox } = domain;
    const mirror = mirrorOf(domain, defaultDatabase);
    const wanted: Wanted[] = [];
    if (events !== undefined && mirror?.rule.capture === 'outbox') {
      const { source } = mirror;
      const start = (): Feed => this.#changes(name, source, events);
      wanted.push({ kind: 'changes', domain: name, source, rule: events, start });
    }
    if (outbox !== undefined) {
      const source = authoritative(domain, defaultDatabase);
      const start = (): Feed => this.#outbox(name, source, outbox);
      wanted.push({ kind: 'outbox', domain: name, source, rule: outbox, start });
    }
    return wanted.map((one) => [`${one.kind} ${name}`, one]);
  }

  #changes(domain: string, source: string, rule: EventsRule): Feed {
    return new ChangeFeed({
      domain,
      envelope: rule.envelope,
      shared: rule.per === 'domain',
      topicOf: (table) => this.#prefix + feedTopic(rule, domain, table),
      connect: () => this.#connect(source, `pgfig events ${domain}`),
      openSink: this.#openSink,
      listener: this.#listener(domain, 'changes'),
    });
  }

  #outbox(domain: string, source: string, rule: OutboxRule): Feed {
    const { envelope } = rule;
    return new OutboxFeed({
      rule,
      names: { domain, envelope, topicOf: (aggregateType) => this.#prefix + outboxTopic(rule, aggregateType) },
      connect: () => this.#connect(source, `pgfig outbox ${domain}`),
      openSink: this.#openSink,
      listener: this.#listener(domain, 'outbox'),
    });
  }

  #connect(source: string, name: string): ReturnType<typeof openMirrorClient> {
    return openMirrorClient(this.#config, source, name, { statement: STATEMENT_TIMEOUT_MS });
  }

  #listener(domain: string, kind: FeedStatus['kind']): FeedListener {
    const limiter = new OnceAMinute();
    let said = false;
    return {
      onStall: (table, reason) => {
        const fields = { domain, table, kind };
        if (reason === null) this.#log.info(fields, 'events of a table go on');
        else this.#log.warn({ ...fields, reason }, 'events of a table are stalled');
      },
      onWarning: (table, warning) => this.#log.warn({ domain, table, kind, warning }, 'events of a table cost much'),
      onTrouble: (error) => {
        if (error === null) {
          if (said) this.#log.info({ domain, kind }, 'events go on');
          said = false;
        } else if (limiter.admit('failed')) {
          said = true;
          // Without the stack: most often it is a driver's, and no bug of pgfig.
          const { stack: _, ...what } = errorFields(error);
          this.#log.warn({ domain, kind, ...what }, 'events cannot be sent; they wait');
        }
      },
    };
  }

  #end({ wanted, feed }: Running, forGood: boolean): void {
    const ended = this.#ended(wanted, feed, forGood).finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  /** Once the rule of a mirrored domain has no feed any more, nothing is to be kept for it. */
  async #ended({ domain, source }: Wanted, feed: Feed, forGood: boolean): Promise<void> {
    await feed.close();
    if (!forGood) return;
    try {
      const client = await this.#connect(source, `pgfig events ${domain}`);
      await endConsumer(client, domain).finally(() => client.end());
      this.#log.info({ domain }, 'the change feed has ended; its position is removed');
    } catch (error) {
      this.#log.warn(
        { domain, ...errorFields(error) },
        'the position of a change feed that has ended cannot be removed; remove it from pgfig.consumers',
      );
    }
  }
}

const specOf = ({ source, rule }: Wanted): string => JSON.stringify([source, rule]);
