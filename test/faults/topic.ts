import pg from 'pg';
import type { TestKafka } from '../support/kafka.js';
import type { Journal } from './journal.js';
import { TABLES } from './schema.js';
import { judgeTopic, type RowState } from './topic-judge.js';
import { readTopic } from './topic-reader.js';
import type { World } from './world.js';

/** As docs/events.md has it. */
const PINNED = [
  "SET DateStyle = 'ISO'",
  "SET IntervalStyle = 'iso_8601'",
  'SET extra_float_digits = 3',
  "SET TimeZone = 'UTC'",
  "SET bytea_output = 'hex'",
  "SET lc_monetary = 'C'",
];

/** Knows the source as it was when the load began, and judges the topic after it. */
export class TopicWatch {
  readonly #world: World;
  readonly #kafka: TestKafka;
  readonly #before: ReadonlyMap<string, RowState>;
  readonly #xid: string;

  static async begin(world: World, kafka: TestKafka): Promise<TopicWatch> {
    const [row] = await world.inSource<{ xid: string }>('SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS xid');
    const xid = row?.xid ?? '';
    return new TopicWatch(world, kafka, await readStates(world.sourceUrl, xid), xid);
  }

  private constructor(world: World, kafka: TestKafka, before: ReadonlyMap<string, RowState>, xid: string) {
    this.#world = world;
    this.#kafka = kafka;
    this.#before = before;
    this.#xid = xid;
  }

  /** Once nothing is on its way any more. */
  async judge(journal: Journal): Promise<string[]> {
    const after = await readStates(this.#world.sourceUrl, this.#xid);
    const acked = journal.operations
      .filter(({ outcome, durable }) => outcome === 'acked' && durable)
      .map(({ id }) => `public.ops ${JSON.stringify({ op: id })}`);
    return judgeTopic(await readTopic(this.#kafka, this.#world.topicPrefix), { before: this.#before, after, acked });
  }
}

/** All rows: key as judgeTopic has it -> state. @param xid rows of this transaction or later ones count as changed */
async function readStates(url: string, xid: string): Promise<Map<string, RowState>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const states = new Map<string, RowState>();
  try {
    for (const setting of PINNED) await client.query(setting);
    for (const table of TABLES) {
      const { rows } = await client.query<{ key: string; state: string; changed: boolean }>(
        `SELECT (SELECT row_to_json(k) FROM (SELECT ${await keyOf(client, table)}) k)::text AS key,
                row_to_json("the row")::text AS state, "the row".xmin::text::bigint >= $1 AS changed
           FROM ${table} "the row"`,
        [xid],
      );
      for (const { key, ...state } of rows) states.set(`public.${table} ${JSON.stringify(JSON.parse(key))}`, state);
    }
    return states;
  } finally {
    await client.end();
  }
}

async function keyOf(client: pg.Client, table: string): Promise<string> {
  const { rows } = await client.query<{ columns: string }>(
    `SELECT string_agg('"the row".' || quote_ident(a.attname), ', ' ORDER BY array_position(i.indkey::int2[], a.attnum)) AS columns
       FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
      WHERE i.indrelid = $1::regclass AND i.indisprimary`,
    [table],
  );
  return rows[0]?.columns ?? '';
}
