import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { CrashFiles } from '../faults/crash-files.js';
import { guard } from '../support/guard.js';
import { startKafka } from '../support/kafka.js';
import { startPostgres } from '../support/postgres.js';
import { onTeardown } from '../support/teardown.js';
import { feeding, startWorld } from './events-support.js';

const { kafka, missing } = await startKafka();
const source = await startPostgres({ version: 15 });
const target = await startPostgres();

const example = (file: string): string =>
  fileURLToPath(new URL(`../../../docs/examples/read-model/${file}`, import.meta.url));

t.test('the example of docs/examples/read-model follows a table', { skip: missing ?? false }, async (t) => {
  if (kafka === null) return;
  const schema =
    'CREATE TABLE orders (id bigint PRIMARY KEY, customer text NOT NULL, total numeric NOT NULL, note text)';
  const files = await CrashFiles.create();
  const options = { schema, tables: ['public.orders'], rule: { events: {} }, topics: { orders: 2 }, env: files.env };
  const world = await startWorld(t, kafka, source, target, options);
  await feeding(world);
  await target.query(`CREATE DATABASE reader_${world.from}`);
  await target.query(readFileSync(example('schema.sql'), 'utf8'), `reader_${world.from}`);
  const start = () => {
    const child = spawn(process.execPath, [example('read-model.js')], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        BROKERS: kafka.brokers.join(),
        TOPIC: `${world.prefix}orders`,
        GROUP: world.prefix,
        DATABASE_URL: target.url(`reader_${world.from}`),
      },
    });
    guard(child);
    return child;
  };
  let program = start();
  await onTeardown(async () => void program.kill('SIGKILL'));
  const equal = async (): Promise<boolean> => {
    const rows = 'SELECT id, customer, total FROM';
    const here = await world.sql(`${rows} orders ORDER BY id`);
    const { rows: there } = await target.query(`${rows} orders_view ORDER BY id`, `reader_${world.from}`);
    return JSON.stringify(here) === JSON.stringify(there);
  };
  await world.sql(
    "INSERT INTO orders SELECT 9007199254740992 + g, 'c' || g, 0.1234567890123456789012345 FROM generate_series(1, 50) g",
  );
  await world.pgfig.until(equal, 'the rows');
  await world.sql(
    'UPDATE orders SET total = total + 1 WHERE id % 2 = 0; DELETE FROM orders WHERE id % 5 = 0; UPDATE orders SET id = id + 1000 WHERE id % 7 = 0',
  );
  await world.pgfig.until(equal, 'changes, deletes and changed keys');
  await files.arm('kafka-before-position');
  await world.sql("UPDATE orders SET customer = customer || '!'");
  await world.pgfig.until(() => !files.waiting('kafka-before-position'), 'the feed dies, and repeats itself');
  program.kill('SIGKILL');
  await world.sql('UPDATE orders SET total = total * 2');
  program = start();
  await world.pgfig.until(equal, 'what was repeated, and what came while the program was away');
  await world.sql("BEGIN; TRUNCATE orders; INSERT INTO orders VALUES (3, 'new', 7); COMMIT");
  await world.pgfig.until(equal, 'an emptied table');
  const { rows } = await target.query<{ count: string }>('SELECT count(*) FROM orders_view', `reader_${world.from}`);
  t.equal(rows[0]?.count, '1');
});
