import t from 'tap';
import { startPostgres } from '../support/postgres.js';
import { makePair } from './capture-support.js';

const server = await startPostgres({ version: 15, settings: { wal_level: 'logical' } });
const SCHEMA = 'CREATE TABLE orders (id int PRIMARY KEY)';

t.test("publications that would have pgfig's own tables in them are refused", async (t) => {
  const pair = await makePair(server, server, `${SCHEMA}; CREATE PUBLICATION everything FOR ALL TABLES`, [
    'public.orders',
  ]);
  await t.rejects(pair.install(), {
    code: 'MIRROR_REFUSED',
    message:
      /monolith: publication everything publishes all tables.*DROP PUBLICATION "everything"[\s\S]*orders_db: publication/,
  });
  for (const dbname of [pair.from, pair.to]) {
    t.equal((await server.query("SELECT FROM pg_namespace WHERE nspname = 'pgfig'", dbname)).rowCount, 0);
    await server.query('DROP PUBLICATION everything; CREATE PUBLICATION shop FOR TABLES IN SCHEMA public', dbname);
  }
  t.match(await pair.install(), { changed: ['public.orders'] });
  await server.query('CREATE PUBLICATION own FOR TABLES IN SCHEMA pgfig', pair.from);
  await t.rejects(pair.install(), { message: /publication own publishes schema pgfig/ });
});

t.test('a publication that is made later does not keep the outbox from being swept', async (t) => {
  const pair = await makePair(server, server, SCHEMA, ['public.orders']);
  await pair.install();
  await server.query('CREATE PUBLICATION everything FOR ALL TABLES; INSERT INTO orders VALUES (1)', pair.from);
  t.equal((await server.query('DELETE FROM pgfig.outbox', pair.from)).rowCount, 1);
});
