import knexFactory from 'knex';
import t from 'tap';
import { cancel } from './cancel.js';
import { running } from './conditions.js';
import { movedTable, onEachTarget } from './target.js';

t.test('Knex', (t) =>
  onEachTarget(t, async (t, target) => {
    const knex = knexFactory({ client: 'pg', connection: target.url, pool: { min: 0, max: 4 } });
    t.teardown(() => knex.destroy());

    await t.test('creates, changes and drops a table', async (t) => {
      await knex.schema.createTable('order_scratch', (table) => {
        table.increments('id');
        table.string('code', 20).notNullable().index();
        table.jsonb('body');
      });
      t.ok(await movedTable(target, 'order_scratch'));
      await knex.schema.alterTable('order_scratch', (table) => {
        table.integer('amount').defaultTo(3);
      });
      const [row] = await knex('order_scratch')
        .insert({ code: 'a', body: { k: [1] } })
        .returning('*');
      t.same(row, { id: 1, code: 'a', body: { k: [1] }, amount: 3 });
      await knex.schema.dropTable('order_scratch');
      t.notOk(await movedTable(target, 'order_scratch'));
    });

    await t.test('reads and writes', async (t) => {
      t.equal((await knex('users').where({ id: 5 }).first()).name, 'user 5');
      const [{ id }] = await knex('orders').insert({ user_id: 5, total: 12.5 }).returning('id');
      await knex('orders').where({ id }).increment('total', 1);
      t.same(await target.inOrders(`SELECT total FROM orders WHERE id = ${id}`), [{ total: '13.50' }]);
      await knex('orders').insert({ id, user_id: 5, total: 1 }).onConflict('id').merge(['total']);
      t.equal(await knex('orders').where({ id }).del(), 1);
    });

    await t.test('transacts over both, nested', async (t) => {
      await knex.transaction(async (trx) => {
        const user = await trx('users').where({ id: 9 }).first();
        await trx('orders').insert({ user_id: user.id, total: 1666 });
        await t.rejects(
          trx.transaction(async (inner) => {
            await inner('orders').del();
            throw new Error('undo');
          }),
          { message: 'undo' },
        );
        await trx('orders').where({ total: 1666 }).forUpdate();
      });
      t.same(await target.inOrders('SELECT count(*)::int AS n FROM orders'), [{ n: 1001 }]);
      await knex('orders').where({ total: 1666 }).del();
      const mode = { isolationLevel: 'read committed', readOnly: true } as const;
      await t.rejects(
        knex.transaction((trx) => trx('orders').del(), mode),
        { code: '25006' },
      );
    });

    await t.test('streams', async (t) => {
      let rows = 0;
      for await (const _ of knex('orders').select('id').stream()) rows += 1;
      t.equal(rows, 1000);
    });

    await t.test('cancels', async (t) => {
      const connection = await knex.client.acquireConnection();
      const query = knex.raw('SELECT pg_sleep(60) /* knex-cancel */ FROM orders LIMIT 1').connection(connection);
      const refused = t.rejects(query.then(), { code: '57014' });
      await running(target, 'knex-cancel');
      await cancel(connection);
      await refused;
      knex.client.releaseConnection(connection);
      t.same(await knex('users').count({ n: '*' }), [{ n: '100' }]);
    });
  }),
);
