import t from 'tap';
import { running } from './conditions.js';
import { noPrograms, psql, start } from './program.js';
import { movedTable, onEachTarget } from './target.js';

t.test('psql', { skip: noPrograms }, (t) =>
  onEachTarget(t, async (t, target) => {
    await t.test('creates, reads and writes where the table lives', async (t) => {
      const made = await psql(target, 'CREATE TABLE order_scratch (id int PRIMARY KEY, body text);');
      t.equal(made.stderr, '');
      t.ok(await movedTable(target, 'order_scratch'));
      const { stdout, stderr } = await psql(
        target,
        `INSERT INTO order_scratch VALUES (1, 'a'), (2, 'b') RETURNING id;
         SELECT count(*) FROM users;
         SELECT count(*) FROM orders;
         SELECT body FROM order_scratch ORDER BY id; SELECT 'both on one line';`,
      );
      t.equal(stderr, '');
      t.equal(stdout, '1\n2\n100\n1000\na\nb\nboth on one line\n');
      await psql(target, 'DROP TABLE order_scratch;');
      t.notOk(await movedTable(target, 'order_scratch'));
    });

    await t.test('transacts over both, with savepoints', async (t) => {
      const { stdout, stderr } = await psql(
        target,
        `BEGIN;
         SELECT name FROM users WHERE id = 7;
         INSERT INTO orders (user_id, total) VALUES (7, 77.5);
         SAVEPOINT s;
         UPDATE orders SET total = 0 WHERE user_id = 7;
         ROLLBACK TO s;
         SELECT total FROM orders WHERE user_id = 7 AND total = 77.5;
         COMMIT;`,
      );
      t.equal(stderr, '');
      t.equal(stdout, 'user 7\n77.50\n');
      t.same(await target.inOrders('SELECT count(*)::int AS n FROM orders WHERE total = 77.5'), [{ n: 1 }]);
      const undone = await psql(target, 'BEGIN; DELETE FROM orders; ROLLBACK; SELECT count(*) FROM orders;');
      t.equal(undone.stdout, '1001\n');
      await psql(target, 'DELETE FROM orders WHERE total = 77.5');
    });

    await t.test('sees errors with their place, and goes on', async (t) => {
      const { stdout, stderr } = await psql(
        target,
        'SELECT nothing FROM orders;\n\\echo :LAST_ERROR_SQLSTATE\nSELECT 1/0;\nSELECT 5;',
        '-v',
        'ON_ERROR_STOP=0',
      );
      t.match(stderr, 'column "nothing" does not exist');
      t.match(stderr, /LINE 1: SELECT nothing FROM orders;\n {15}\^/);
      t.match(stderr, 'division by zero');
      t.equal(stdout, '42703\n5\n');
    });

    await t.test('copies in and out', async (t) => {
      const { stdout, stderr } = await psql(
        target,
        `CREATE TABLE order_scratch (id int, body text);
COPY order_scratch FROM STDIN;
1\tone
2\ttwo
\\.
\\copy order_scratch from program 'printf "3,three\\n"' csv
COPY order_scratch TO STDOUT;
COPY (SELECT id, name FROM users WHERE id = 3) TO STDOUT (FORMAT csv);
DROP TABLE order_scratch;`,
      );
      t.equal(stderr, '');
      t.equal(stdout, '1\tone\n2\ttwo\n3\tthree\n3,user 3\n');
    });

    await t.test('reads in pieces with FETCH_COUNT', async (t) => {
      const { stdout } = await psql(target, '\\set FETCH_COUNT 10\nSELECT id FROM orders ORDER BY id;');
      t.equal(stdout.trim().split('\n').length, 1000);
    });

    await t.test('describes tables', async (t) => {
      const { stdout, stderr } = await psql(target, '\\d users');
      t.equal(stderr, '');
      t.match(stdout, 'email|text');
    });

    await t.test('cancels on ^C, and goes on', async (t) => {
      const { child, done } = start(
        target,
        'psql',
        ['-X', '-qAt'],
        'SELECT pg_sleep(60) /* psql-cancel */ FROM orders LIMIT 1;\nSELECT count(*) FROM users;\n',
      );
      await running(target, 'psql-cancel');
      child.kill('SIGINT');
      const { stdout, stderr } = await done;
      t.match(stderr, 'canceling statement due to user request');
      // psql drops the rest of a script that is interrupted.
      t.notMatch(stdout, 'user');
      t.equal((await psql(target, 'SELECT count(*) FROM users;')).stdout, '100\n');
    });

    await t.test('gets notifications', async (t) => {
      const { stdout } = await psql(target, "LISTEN shop; NOTIFY shop, 'hello'; SELECT 1;");
      t.match(stdout, 'Asynchronous notification "shop" with payload "hello"');
    });
  }),
);
