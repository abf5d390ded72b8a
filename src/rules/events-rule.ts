import type { z } from 'zod';
import type { Path, YamlFile } from '../config/yaml-file.js';
import type { eventsSection, outboxSection } from './events-schema.js';
import type { EventsRule, OutboxRule } from './rule-set.js';
import { parseTableName, tableKey } from './table-name.js';

type GivenEvents = NonNullable<z.output<typeof eventsSection>>;
type GivenOutbox = NonNullable<z.output<typeof outboxSection>>;

/** Kafka takes so many characters, and kafka.topicPrefix needs some of them (org.apache.kafka.common.internals.Topic). */
const TOPIC = /^[a-zA-Z0-9._-]{1,200}$/;
const NOT_IN_A_TOPIC = /[^a-zA-Z0-9._-]/g;

/** A name as a topic may have it; what Kafka does not take becomes '_'. */
export const topicText = (name: string): string => name.replace(NOT_IN_A_TOPIC, '_');

/** Name of a table's topic, without kafka.topicPrefix. */
export function feedTopic({ topic, per }: EventsRule, domain: string, table: string): string {
  const name = topic ?? domain;
  return per === 'domain' ? name : `${name}.${topicText(table)}`;
}

/** Name of the topic of an aggregate type, without kafka.topicPrefix. */
export const outboxTopic = ({ topic }: OutboxRule, aggregateType: string): string =>
  topic.replaceAll(AGGREGATE_TYPE, topicText(aggregateType));

const AGGREGATE_TYPE = '{aggregatetype}';

/** The section `events`; faults go to `yaml`. */
export function readEvents(
  yaml: YamlFile,
  given: GivenEvents,
  { domain, tables }: { readonly domain: string; readonly tables: readonly string[] },
): EventsRule {
  const rule: EventsRule = Object.freeze({ ...given, topic: given.topic ?? null });
  checkTopic(yaml, ['events', 'topic'], rule.topic ?? domain);
  const owners = new Map<string, string>();
  for (const table of rule.per === 'table' ? tables : []) {
    const topic = feedTopic(rule, domain, table);
    const other = owners.get(topic);
    if (other !== undefined) {
      yaml.complain(
        ['events', 'per'],
        `tables ${other} and ${table} would share topic ${topic}, since Kafka takes only letters, digits, '.', '_' and '-'. Use per: domain`,
      );
    }
    owners.set(topic, table);
  }
  return rule;
}

/** What readOutbox needs to know besides the section. */
interface OutboxFacts {
  readonly domain: string;
  place(path: Path): string;
  /** Outbox tables of the rules so far, with their places. */
  readonly seen: Map<string, string>;
}

/** Stands in `seen` for what pgfig.publish writes. */
const PUBLISH = 'pgfig.publish';

/** The section `outbox`; faults go to `yaml`. */
export function readOutbox(yaml: YamlFile, given: GivenOutbox, facts: OutboxFacts): OutboxRule {
  if (given.tables.length === 0 && !given.publish) {
    yaml.complain(['outbox'], 'outbox names no table. Name one in outbox.tables, set publish: true, or remove it');
  }
  checkTopic(yaml, ['outbox', 'topic'], given.topic.replaceAll(AGGREGATE_TYPE, 'x'));
  const tables: string[] = [];
  const take = (name: string, path: Path): boolean => {
    const first = facts.seen.get(name);
    if (first === undefined) facts.seen.set(name, facts.place(path));
    else
      yaml.complain(
        path,
        `${name} is already relayed by the rule at ${first}. One domain can relay it; remove it here or there`,
      );
    return first === undefined;
  };
  for (const [index, text] of given.tables.entries()) {
    const path = ['outbox', 'tables', index];
    const parsed = parseTableName(text);
    if (typeof parsed === 'string') yaml.complain(path, parsed);
    else if (take(tableKey(parsed.schema, parsed.name), path)) tables.push(tableKey(parsed.schema, parsed.name));
  }
  if (given.publish) take(PUBLISH, ['outbox', 'publish']);
  const columns = Object.freeze({ ...given.columns, order: given.columns.order ?? null });
  return Object.freeze({ ...given, tables: Object.freeze(tables), columns });
}

function checkTopic(yaml: YamlFile, path: Path, name: string): void {
  if (TOPIC.test(name)) return;
  yaml.complain(
    path,
    `${JSON.stringify(name)} is no name of a topic: Kafka takes letters, digits, '.', '_' and '-', at most 200 here`,
  );
}
