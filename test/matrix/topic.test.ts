import pg from 'pg';
import t from 'tap';
import { startKafka } from '../support/kafka.js';
import { startPgfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';
import { flush } from './flush.js';

const { kafka, missing } = await startKafka();

t.test('what is counted and what was done goes to Kafka too', { skip: missing ?? false }, async (t) => {
  if (kafka === null) return;
  const server = await startPostgres();
  await server.query('CREATE TABLE a (id int); CREATE TABLE b (id int)');
  const [matrix, log] = [await kafka.topic(), await kafka.topic()];
  const pgfig = await startPgfig({
    databases: { monolith: server.url() },
    config: { kafka: { brokers: [...kafka.brokers] }, matrix: { topic: matrix }, accessLog: { kafka: { topic: log } } },
  });
  const client = new pg.Client({ connectionString: pgfig.url(), application_name: 'writer' });
  await client.connect();
  for (let i = 0; i < 2; i++) {
    await client.query('INSERT INTO a SELECT id FROM b');
    await flush(pgfig);
  }
  await client.end();

  const deltas = (await kafka.read(matrix, 6)).map(({ key, value }) => ({
    key: String(key),
    ...(JSON.parse(String(value)) as Record<string, unknown>),
  }));
  const cells = deltas.filter(({ key }) => key === 'writer public.a');
  t.match(cells, [{ type: 'cell', access: 'write', statements: 1 }, { statements: 1 }], 'each flush tells what is new');
  t.match(
    deltas.filter(({ key }) => key === 'writer public.a public.b'),
    [{ type: 'pair', kind: 'join', count: 1 }, { count: 1 }],
  );
  const lines = (await kafka.read(log, 2)).map(({ value }) => JSON.parse(String(value)) as Record<string, unknown>);
  t.match(lines, [{ service: 'writer', kind: 'insert', writes: ['public.a'], error: null }, {}]);
  t.equal(await pgfig.stop(), 0);
});
