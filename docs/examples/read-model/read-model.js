// A read model of another service: it follows the change feed of a domain and keeps what it needs of one table in a
// database of its own.
//
//   BROKERS=127.0.0.1:9092 TOPIC=shop.orders TABLE=public.orders DATABASE_URL=postgres://... node read-model.js
//
// The topic may be compacted, may be read from its beginning at any time, and may repeat messages.

import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';

const { BROKERS = '127.0.0.1:9092', TOPIC = 'orders', TABLE = 'public.orders', GROUP = 'read-model' } = process.env;

const database = new pg.Client({ connectionString: process.env.DATABASE_URL });
const kafka = new Kafka({ brokers: BROKERS.split(','), clientId: GROUP, logLevel: logLevel.ERROR });
// Reads what was committed only: a turn of the feed arrives whole, or not at all.
const consumer = kafka.consumer({ groupId: GROUP, readUncommitted: false });

// JSON goes to Postgres as the text that it is. JSON.parse would round 9007199254740993 and long decimals.
const UPSERT = `
  INSERT INTO orders_view (id, customer, total, partition)
  SELECT (row->>'id')::bigint, row->>'customer', (row->>'total')::numeric, $2 FROM (SELECT $1::jsonb AS row) AS message
  ON CONFLICT (id) DO UPDATE SET customer = excluded.customer, total = excluded.total, partition = excluded.partition`;
// A tombstone has a key and nothing else.
const DELETE = `DELETE FROM orders_view WHERE id = ($1::jsonb->'key'->>'id')::bigint`;
// The table was emptied: what this partition has brought until now is gone.
const EMPTY = 'DELETE FROM orders_view WHERE partition = $1';
const TAKE = 'INSERT INTO taken (id) VALUES ($1) ON CONFLICT DO NOTHING';

async function take(partition, { key, value, headers }) {
  if (String(headers.table) !== TABLE) return;
  const taken = await database.query(TAKE, [String(headers.id)]);
  if (taken.rowCount === 0) return;
  if (String(headers.op) === 'truncate') await database.query(EMPTY, [partition]);
  // insert and update are the same to a reader: a compacted topic has only the last state of a row.
  else if (value === null) await database.query(DELETE, [key.toString()]);
  else await database.query(UPSERT, [value.toString(), partition]);
}

await database.connect();
await consumer.connect();
await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
await consumer.run({
  eachMessage: async ({ partition, message }) => {
    // The id and the row in one transaction: after a crash the message comes again, and is new again.
    await database.query('BEGIN');
    try {
      await take(partition, message);
      await database.query('COMMIT');
    } catch (error) {
      await database.query('ROLLBACK');
      throw error;
    }
  },
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await consumer.disconnect();
    await database.end();
  });
}
