import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import t from 'tap';
import { startPostgres } from '../support/postgres.js';
import { makePair, texts } from './capture-support.js';

/** Every form of write leaves exactly the events of what it changed. */

const SCHEMA = `
CREATE TABLE orders (id int PRIMARY KEY, note text, total numeric GENERATED ALWAYS AS (id * 2) STORED);
CREATE TABLE items (order_id int REFERENCES orders ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE, line int, note text, PRIMARY KEY (order_id, line));
CREATE TABLE serials (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
CREATE TABLE parts (id int, region text, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a');
CREATE TABLE parts_b PARTITION OF parts FOR VALUES IN ('b') PARTITION BY RANGE (id);
CREATE TABLE parts_b1 PARTITION OF parts_b FOR VALUES FROM (0) TO (100);
CREATE TABLE other (id int PRIMARY KEY, region text, note text);
`;
const TABLES = ['public.orders', 'public.items', 'public.serials', 'public.parts'];

const setUps = [];
for (const version of [15, 18] as const) {
  const source = await startPostgres({ version, settings: { max_prepared_transactions: '5' } });
  const pair = await makePair(source, source, SCHEMA, TABLES);
  await pair.install();
  setUps.push({ version, source, pair });
}

for (const { version, source, pair } of setUps) {
  const run = (sql: string) => source.query(sql, pair.from);
  const oidOf = async (table: string) =>
    String((await source.query(`SELECT '${table}'::regclass::oid::text AS oid`, pair.from)).rows[0]?.oid);
  /** Sorted where the server is free to order. */
  const events = async (work: string | (() => Promise<unknown>)) => texts(await pair.recorded(work));

  t.test(`PostgreSQL ${version}`, async (t) => {
    t.beforeEach(async () => {
      await run('DELETE FROM orders; DELETE FROM serials; DELETE FROM parts');
    });

    t.test('INSERT, UPDATE, DELETE', async (t) => {
      t.same(await events(`INSERT INTO orders VALUES (1, 'a'), (2, 'b')`), ['I orders 1', 'I orders 2']);
      t.same(await events(`UPDATE orders SET note = 'c' WHERE id = 1`), ['U orders 1']);
      t.same(await events(`UPDATE orders SET id = id WHERE id = 1`), ['U orders 1']);
      t.same(await events(`UPDATE orders SET note = 'c' WHERE id = 77`), []);
      t.same(await events('DELETE FROM orders WHERE id = 2'), ['D orders 2']);
      t.same(
        await events('WITH gone AS (DELETE FROM orders RETURNING *) INSERT INTO orders SELECT id + 10, note FROM gone'),
        ['D orders 1', 'I orders 11'],
      );
    });

    t.test('COPY', async (t) => {
      const client = await pair.connect('source');
      const rows = await events(() =>
        pipeline(Readable.from(['1\ta\n2\tb\n']), client.query(copyFrom('COPY orders (id, note) FROM STDIN'))),
      );
      t.same(rows, ['I orders 1', 'I orders 2']);
    });

    t.test('MERGE', async (t) => {
      await run(`INSERT INTO orders VALUES (1, 'a'), (2, 'b')`);
      const merge = `MERGE INTO orders o USING (VALUES (1), (2), (3)) AS n (id) ON o.id = n.id
        WHEN MATCHED AND n.id = 1 THEN UPDATE SET note = 'm' WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (n.id)`;
      t.same([...(await events(merge))].sort(), ['D orders 2', 'I orders 3', 'U orders 1']);
    });

    t.test('ON CONFLICT', async (t) => {
      await run(`INSERT INTO orders VALUES (1, 'a')`);
      t.same(await events(`INSERT INTO orders VALUES (1, 'b'), (2, 'b') ON CONFLICT DO NOTHING`), ['I orders 2']);
      const upsert = `INSERT INTO orders VALUES (1, 'c'), (3, 'c') ON CONFLICT (id) DO UPDATE SET note = EXCLUDED.note`;
      t.same([...(await events(upsert))].sort(), ['I orders 3', 'U orders 1']);
    });

    t.test('a changed key is two events, the old one first', async (t) => {
      await run(`INSERT INTO orders VALUES (1, 'a')`);
      t.same(await events('UPDATE orders SET id = 5 WHERE id = 1'), ['U orders 1', 'U orders 5']);
    });

    t.test('several key columns; cascades', async (t) => {
      await run(`INSERT INTO orders VALUES (1, 'a')`);
      t.same(await events(`INSERT INTO items VALUES (1, 1, 'x'), (1, 2, 'y')`), ['I items {1,1}', 'I items {1,2}']);
      t.same([...(await events('UPDATE orders SET id = 2 WHERE id = 1'))].sort(), [
        'U items {1,1}',
        'U items {1,2}',
        'U items {2,1}',
        'U items {2,2}',
        'U orders 1',
        'U orders 2',
      ]);
      t.same([...(await events('DELETE FROM orders'))].sort(), ['D items {2,1}', 'D items {2,2}', 'D orders 2']);
    });

    t.test('functions, procedures, DO', async (t) => {
      await run(`CREATE OR REPLACE FUNCTION put(i int) RETURNS void LANGUAGE sql AS 'INSERT INTO orders VALUES (i)';
        CREATE OR REPLACE PROCEDURE drop_it(i int) LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DELETE FROM orders WHERE id = ' || i; COMMIT; END $$`);
      t.same(await events('SELECT put(7)'), ['I orders 7']);
      t.same(await events('CALL drop_it(7)'), ['D orders 7']);
      t.same(await events(`DO 'BEGIN FOR i IN 1..3 LOOP PERFORM put(i); END LOOP; END'`), [
        'I orders 1',
        'I orders 2',
        'I orders 3',
      ]);
    });

    t.test('other triggers before and after, by name', async (t) => {
      await run(`CREATE FUNCTION before_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.id := NEW.id + 100; RETURN NEW; END $$;
        CREATE FUNCTION after_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF NEW.note IS DISTINCT FROM TG_NAME THEN UPDATE orders SET note = TG_NAME WHERE id = NEW.id; END IF; RETURN NULL; END $$;
        CREATE TRIGGER zz_before BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION before_it();
        CREATE TRIGGER aa_after AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION after_it();
        CREATE TRIGGER zz_after AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION after_it()`);
      t.same([...(await events(`INSERT INTO orders VALUES (1)`))].sort(), [
        'I orders 101',
        'U orders 101',
        'U orders 101',
      ]);
      await run(`DROP FUNCTION before_it, after_it CASCADE`);
      await run(`CREATE FUNCTION skip_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER zz_skip BEFORE INSERT OR UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION skip_it()`);
      t.same(await events('INSERT INTO orders VALUES (1)'), [], 'what was not written is not recorded');
      await run('DROP FUNCTION skip_it CASCADE');
    });

    t.test('TRUNCATE of a table, a root, a partition, in a cascade', async (t) => {
      t.same(await events('TRUNCATE serials'), ['T serials -']);
      t.same([...(await events('TRUNCATE orders CASCADE'))].sort(), ['T items -', 'T orders -']);
      const [a, b1] = [await oidOf('parts_a'), await oidOf('parts_b1')];
      t.same(await events('TRUNCATE parts_a'), [`T parts ${a}`]);
      t.same(await events('TRUNCATE parts_b'), [`T parts ${b1}`]);
      t.same([...(await events('TRUNCATE parts'))].sort(), ['T parts -', `T parts ${a}`, `T parts ${b1}`].sort());
    });

    t.test('partitions: by the root, a leaf, a move', async (t) => {
      t.same(await events(`INSERT INTO parts VALUES (1, 'a')`), ['I parts {1,a}']);
      t.same(await events(`INSERT INTO parts_b1 VALUES (2, 'b')`), ['I parts {2,b}']);
      t.same(await events(`UPDATE parts_a SET note = 'x'`), ['U parts {1,a}']);
      t.same(await events(`UPDATE parts SET region = 'b' WHERE id = 1`), ['D parts {1,a}', 'I parts {1,b}']);
      t.same(await events(`DELETE FROM parts_b1 WHERE id = 1`), ['D parts {1,b}']);
    });

    t.test('a partition that is attached records from then on; one that is detached no more', async (t) => {
      await run(
        `CREATE TABLE parts_c (id int NOT NULL, region text NOT NULL, note text); ALTER TABLE parts ATTACH PARTITION parts_c FOR VALUES IN ('c')`,
      );
      t.same(
        await events(
          `SET session_replication_role = replica; INSERT INTO parts_c VALUES (1, 'c'); RESET session_replication_role`,
        ),
        ['I parts {1,c}'],
      );
      t.same(await events('TRUNCATE parts_c'), [], 'TRUNCATE triggers are not cloned');
      t.match(await pair.install(), { changed: ['public.parts'] });
      t.same(await events('TRUNCATE parts_c'), [`T parts ${await oidOf('parts_c')}`]);
      await run('ALTER TABLE parts DETACH PARTITION parts_c');
      t.same(await events(`INSERT INTO parts_c VALUES (2, 'c')`), []);
      t.match(await pair.install(), { changed: ['public.parts'] });
      t.same(await events('TRUNCATE parts_c'), [], 'no trigger is left on it');
      await run('DROP TABLE parts_c');
      t.match(await pair.install(), { changed: [] });
    });

    t.test('identity and generated columns', async (t) => {
      await run('ALTER TABLE serials ALTER id RESTART WITH 5');
      t.same(await events(`INSERT INTO serials (note) VALUES ('a')`), ['I serials 5']);
      t.same(await events(`INSERT INTO serials OVERRIDING SYSTEM VALUE VALUES (50, 'a')`), ['I serials 50']);
    });

    t.test('replica role, and commits that do not wait', async (t) => {
      const client = await pair.connect('source');
      t.same(
        await events(() =>
          client.query('SET session_replication_role = replica; INSERT INTO orders VALUES (1); TRUNCATE serials'),
        ),
        ['I orders 1', 'T serials -'],
      );
      t.same(
        await events(() =>
          client.query(`SET session_replication_role = replica; INSERT INTO parts_b1 VALUES (1, 'b')`),
        ),
        ['I parts {1,b}'],
      );
      t.same(await events(() => client.query('SET synchronous_commit = off; INSERT INTO orders VALUES (2)')), [
        'I orders 2',
      ]);
    });

    t.test('transactions: rolled back, savepoints, prepared', async (t) => {
      t.same(await events('BEGIN; INSERT INTO orders VALUES (1); ROLLBACK'), []);
      t.same(
        await events(
          'BEGIN; INSERT INTO orders VALUES (1); SAVEPOINT s; INSERT INTO orders VALUES (2); ROLLBACK TO s; INSERT INTO orders VALUES (3); COMMIT',
        ),
        ['I orders 1', 'I orders 3'],
      );
      const client = await pair.connect('source');
      const xid = async () => {
        const { rows } = await client
          .query(`BEGIN; SELECT pg_current_xact_id()::text AS xid; SAVEPOINT s; INSERT INTO orders VALUES (4); COMMIT`)
          .then((all) => (all as unknown as { rows: { xid: string }[] }[])[1] ?? { rows: [] });
        return rows[0]?.xid;
      };
      await source.query('DELETE FROM pgfig.outbox', pair.from);
      const top = await xid();
      t.same(
        (await source.query('SELECT xid::text AS xid FROM pgfig.outbox', pair.from)).rows,
        [{ xid: top }],
        'the top-level id',
      );
      t.same(
        await events(() => client.query(`BEGIN; INSERT INTO orders VALUES (5); PREPARE TRANSACTION 'p${version}'`)),
        [],
      );
      t.same(await events(() => client.query(`COMMIT PREPARED 'p${version}'`)), ['I orders 5']);
    });

    t.test('a writer without rights on pgfig, with a path and temporary tables of its own', async (t) => {
      await run(
        `DO 'BEGIN CREATE ROLE writer LOGIN; EXCEPTION WHEN duplicate_object THEN END'; GRANT ALL ON orders TO writer; GRANT CREATE ON DATABASE ${pair.from} TO writer`,
      );
      const client = await pair.connect('source', 'writer');
      await client.query(`CREATE TEMP TABLE outbox (LIKE orders); CREATE SCHEMA evil;
        CREATE FUNCTION evil.ne(int, int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $q$hijacked as %$q$, current_user; END';
        CREATE FUNCTION evil.ne(text, text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $q$hijacked as %$q$, current_user; END';
        CREATE OPERATOR evil.= (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.ne);
        CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.ne);
        SET search_path = pg_temp, evil, public, pg_catalog`);
      t.same(
        await events(() =>
          client.query(`INSERT INTO public.orders VALUES (1); UPDATE public.orders SET note = 'x', id = 2`),
        ),
        ['I orders 1', 'U orders 1', 'U orders 2'],
      );
      await t.rejects(client.query('SELECT * FROM pgfig.outbox'), { code: '42501' });
      await t.rejects(client.query('INSERT INTO pgfig.outbox (mirror, tbl, op) VALUES (1, 1, $$I$$)'), {
        code: '42501',
      });
      await client.query('DROP SCHEMA evil CASCADE');
    });
  });
}
