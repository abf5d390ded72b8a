import type { Message } from './topic-reader.js';

export interface RowState {
  /** The row as JSON text. */
  readonly state: string;
  /** It was written since the load began. */
  readonly changed: boolean;
}

/** Keys are `schema.table {"column":value}`. */
export interface TopicFacts {
  readonly before: ReadonlyMap<string, RowState>;
  readonly after: ReadonlyMap<string, RowState>;
  /** Keys that acknowledged and durable operations have written. */
  readonly acked: readonly string[];
}

const SHOWN = 3;

/**
 * What a topic owes to its readers: every changed key at least once, its last message is the row's state or says that
 * it is gone, and nothing older ever comes after something newer but exact repeats.
 * @param messages each partition's in its order
 * @returns what is wrong
 */
export function judgeTopic(messages: readonly Message[], { before, after, acked }: TopicFacts): string[] {
  const reader = new Reader();
  for (const message of messages) reader.take(message);
  const { last, found } = reader;
  for (const key of acked) if (!last.has(key)) found.add('acknowledged and never in the topic', key);
  for (const [key, { state, changed }] of after) {
    const value = last.get(key);
    if (value === undefined && changed) found.add('changed and never in the topic', key);
    if (value !== undefined && value !== state) found.add('not what its last message says', `${key}: ${value}`);
  }
  for (const [key, value] of last) {
    if (!after.has(key) && value !== null) found.add('gone, which the topic does not say', key);
  }
  for (const key of before.keys()) {
    if (!after.has(key) && !last.has(key) && !reader.emptied(key)) found.add('gone without a message', key);
  }
  return found.lines();
}

class Findings {
  readonly #found = new Map<string, string[]>();

  add(what: string, key: string): void {
    const list = this.#found.get(what);
    if (list === undefined) this.#found.set(what, [key]);
    else list.push(key);
  }

  lines(): string[] {
    return [...this.#found].map(
      ([what, keys]) =>
        `topic: ${keys.length} keys are ${what}, e.g. ${keys
          .slice(0, SHOWN)
          .map((key) => key.slice(0, 300))
          .join('; ')}`,
    );
  }
}

/** Follows a topic as a service would that keeps the states. */
class Reader {
  readonly last = new Map<string, string | null>();
  readonly found = new Findings();
  readonly #partitions = new Map<string, number>();
  readonly #seen = new Set<string>();
  /** By key: the number of its newest event. */
  readonly #events = new Map<string, bigint>();
  /** By partition: xmax of the newest snapshot. */
  readonly #moments = new Map<number, bigint>();
  readonly #truncations = new Set<string>();

  take(message: Message): void {
    const { partition, value, position } = message;
    const { table, key } = JSON.parse(message.key) as { table: string; key: unknown };
    const name = `${table} ${JSON.stringify(key)}`;
    this.#order(message, name);
    const moment = BigInt(position.split(':')[1] ?? '');
    if (moment < (this.#moments.get(partition) ?? 0n)) this.found.add('older than what came before', name);
    this.#moments.set(partition, moment);
    if (message.op === 'truncate') return this.#truncate(partition, value);
    if ((this.#partitions.get(name) ?? partition) !== partition) this.found.add('in two partitions', name);
    this.#partitions.set(name, partition);
    this.last.set(name, value);
  }

  /** Whether a truncation has told of a row of which there is no message. */
  emptied(key: string): boolean {
    return [...this.#truncations].some((truncation) => covers(truncation, key));
  }

  #order({ id, key }: Message, name: string): void {
    const seen = `${key} ${id}`;
    if (this.#seen.has(seen)) return;
    this.#seen.add(seen);
    const event = BigInt(id.split(':')[2] ?? '');
    if (event <= (this.#events.get(name) ?? -1n)) this.found.add('out of order', `${name} ${id}`);
    // A truncation is there once for each partition.
    if (id.split(':').length === 3) this.#events.set(name, event);
  }

  #truncate(partition: number, value: string | null): void {
    const { table, partition: leaf } = JSON.parse(value ?? '') as { table: string; partition: string | null };
    const truncation = leaf ?? table;
    this.#truncations.add(truncation);
    for (const [name, at] of this.#partitions) {
      if (at === partition && covers(truncation, name)) this.last.set(name, null);
    }
  }
}

/** @param truncation table, or leaf of schema.ts */
function covers(truncation: string, key: string): boolean {
  if (truncation !== 'public.parted_rest') return key.startsWith(`${truncation} `);
  return key.startsWith('public.parted ') && !/"region":"(eu|us)"/.test(key);
}
