import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { noPrograms, psql, start } from './program.js';
import { onEachTarget } from './target.js';

/** Reads on the monolith and writes in orders_db, in one transaction. */
const SCRIPT = `\\set user random(1, 100)
BEGIN;
SELECT name FROM users WHERE id = :user;
INSERT INTO orders (user_id, total) VALUES (:user, 1) RETURNING id \\gset
UPDATE orders SET total = total + 1 WHERE id = :id;
COMMIT;
SELECT total FROM orders WHERE id = :id;
`;

t.test('pgbench', { skip: noPrograms }, async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'pgfig-pgbench-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const script = path.join(folder, 'shop.sql');
  await writeFile(script, SCRIPT);
  await onEachTarget(t, async (t, target) => {
    for (const protocol of ['simple', 'extended', 'prepared']) {
      await t.test(`transactions over two databases, ${protocol}`, async (t) => {
        const before = await target.inOrders<{ n: number }>('SELECT count(*)::int AS n FROM orders');
        const args = ['-n', '-M', protocol, '-c', '4', '-j', '2', '-t', '25', '-f', script];
        const { code, stdout, stderr } = await start(target, 'pgbench', args).done;
        t.equal(code, 0, stderr);
        t.match(stdout, 'number of transactions actually processed: 100/100');
        t.match(stdout, 'number of failed transactions: 0 ');
        const after = await target.inOrders<{ n: number }>('SELECT count(*)::int AS n FROM orders');
        t.equal((after[0]?.n ?? 0) - (before[0]?.n ?? 0), 100);
      });
    }

    await t.test('its own tables and scripts, filled by COPY', async (t) => {
      const made = await start(target, 'pgbench', ['-i', '-q', '-s', '1', '-I', 'dtgvp']).done;
      t.equal(made.code, 0, made.stderr);
      for (const protocol of ['simple', 'extended', 'prepared']) {
        const args = ['-n', '-M', protocol, '-c', '4', '-t', '20', '-b', 'tpcb-like'];
        const { code, stdout, stderr } = await start(target, 'pgbench', args).done;
        t.equal(code, 0, stderr);
        t.match(stdout, 'number of transactions actually processed: 80/80');
      }
      const { stdout } = await psql(target, 'SELECT count(*) FROM pgbench_history;');
      t.equal(stdout, '240\n');
    });

    await t.test('a connection per transaction', async (t) => {
      const args = ['-n', '-C', '-c', '2', '-t', '10', '-f', script];
      const { code, stderr } = await start(target, 'pgbench', args).done;
      t.equal(code, 0, stderr);
    });

    await t.test('pipelines', async (t) => {
      const pipeline = path.join(folder, 'pipeline.sql');
      await writeFile(
        pipeline,
        '\\startpipeline\nSELECT count(*) FROM orders;\nSELECT count(*) FROM users;\nSELECT 1;\n\\endpipeline\n',
      );
      const args = ['-n', '-M', 'extended', '-c', '2', '-t', '20', '-f', pipeline];
      const { code, stderr } = await start(target, 'pgbench', args).done;
      t.equal(code, 0, stderr);
    });
  });
});
