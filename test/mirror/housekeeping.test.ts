import t from 'tap';
import { startPostgres } from '../support/postgres.js';
import { makePair } from './capture-support.js';
import { inStep, startRelay } from './relay-support.js';

t.test('a sweep that always fails is told of once, and again when it fails otherwise', async (t) => {
  const [source, target] = await Promise.all([startPostgres(), startPostgres()]);
  const pair = await makePair(source, target, 'CREATE TABLE a (id int PRIMARY KEY)', ['public.a']);
  await pair.install();
  await inStep(pair);
  const { told, caughtUp, until } = await startRelay(pair);
  await caughtUp();
  t.same(told.errors, []);
  const failed = async (): Promise<number> => {
    const { rows } = await source.query<{ n: number }>(
      'SELECT xact_rollback::int AS n FROM pg_stat_database WHERE datname = $1',
      pair.from,
      [pair.from],
    );
    return rows[0]?.n ?? 0;
  };
  await source.query('ALTER TABLE pgfig.consumers RENAME TO consumers_gone', pair.from);
  await until(() => told.errors.length > 0, 'it is told');
  const before = await failed();
  await until(async () => (await failed()) >= before + 2, 'it fails again');
  t.equal(told.errors.length, 1);
  t.match(told.errors[0], /domain orders: the outbox was not swept or counted: relation .*consumers.* does not exist/);
  await source.query('ALTER TABLE pgfig.consumers_gone RENAME TO consumers', pair.from);
  await source.query('INSERT INTO a VALUES (1)', pair.from);
  await until(async () => (await source.query('SELECT FROM pgfig.outbox', pair.from)).rows.length === 0, 'swept');
  await source.query('ALTER TABLE pgfig.consumers RENAME COLUMN position TO other', pair.from);
  await until(() => told.errors.length > 1, 'another failure is told');
  t.match(told.errors[1], /column "position" does not exist/);
});
