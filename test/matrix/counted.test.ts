import t, { type Test } from 'tap';
import { loadConfig } from '../../src/config/load.js';
import type { Matrix } from '../../src/matrix/matrix.js';
import { storedMatrix } from '../../src/operator/matrix/stored-matrix.js';
import { bind, execute, parse, sync } from '../../src/wire/frontend-messages.js';
import { cstring, frame, query, RawClient } from '../hostile/raw-client.js';
import { startShop } from '../session/two-databases.js';
import { startPgfig, type TestPgfig } from '../support/pgfig.js';
import { flush } from './flush.js';
import { linesOf } from './truth.js';

/** One client's messages, and what they leave in the matrix. */
interface Case {
  readonly name: string;
  /** Groups of messages: each is answered with so many ReadyForQuery as it has queries and Syncs, before the next is sent. */
  readonly sends: readonly (readonly Buffer[])[];
  /** Without the service; database, access, counts as linesOf writes them, shortened. */
  readonly lines: readonly string[];
}

const pbe = (sql: string, limit = 0): Buffer[] => [parse('', sql), bind('', ''), execute('', limit)];
const READY = new Set(['Q', 'S']);

async function play(target: TestPgfig, service: string, { sends }: Case): Promise<void> {
  const client = await RawClient.login(
    { host: target.host, port: target.port, dbname: new URL(target.url()).pathname.slice(1) } as Parameters<
      typeof RawClient.login
    >[0],
    { application_name: service },
  );
  for (const messages of sends) {
    client.send(...messages);
    for (const message of messages) if (READY.has(message.toString('latin1', 0, 1))) await client.untilReady();
  }
  client.vanish();
}

/** 'public.t read monolith 2', with what is not the usual behind it: '1 hidden', '1 failed', '1 refused', '7 rows'. */
const shortLines = (matrix: Matrix, service: string): string[] => {
  const own = (entry: { readonly service: string }): boolean => entry.service === service;
  return linesOf({ cells: matrix.cells.filter(own), pairs: matrix.pairs.filter(own) }).map((line) =>
    line
      .slice(service.length + 3)
      .replace(/ \| ([a-z]+) \| (\w*): (\d+) statements/, ' $1 $2 $3')
      .replaceAll(' | ', ' ')
      .replace(/, 0 (hidden|errors|refused|rows)/g, '')
      .replaceAll(/, 0 (hidden|errors|refused|rows)/g, ''),
  );
};

async function check(t: Test, cases: readonly Case[], target: TestPgfig): Promise<void> {
  for (const [at, one] of cases.entries()) await play(target, `case ${at}`, one);
  await flush(target);
  const matrix = await storedMatrix(loadConfig(target.configFile));
  for (const [at, { name, lines }] of cases.entries()) t.same(shortLines(matrix, `case ${at}`), lines.toSorted(), name);
}

const shop = await startShop({
  inMonolith: `
    CREATE TABLE logs (id serial PRIMARY KEY, what text);
    CREATE SCHEMA other;
    CREATE TABLE other.users (id int);
    CREATE VIEW names AS SELECT name FROM users;`,
});

t.test('both protocols, in every form', (t) =>
  check(
    t,
    [
      {
        name: 'each statement goes where it lives, and is counted there',
        sends: [[query('SELECT * FROM users')], [query("INSERT INTO orders VALUES (10, 1, 'x')")], [query('SELECT 1')]],
        lines: ['public.users read monolith 1, 2 rows', 'public.orders write orders_db 1, 1 rows'],
      },
      {
        name: 'a statement that is refused, simple and prepared',
        sends: [
          [query('SELECT * FROM users JOIN orders ON orders.user_id = users.id')],
          [...pbe('SELECT * FROM users JOIN orders ON orders.user_id = users.id'), sync],
        ],
        lines: [
          'public.users read  0, 2 refused',
          'public.orders read  0, 2 refused',
          'join public.orders public.users: 0 times, 2 refused',
        ],
      },
      {
        name: 'what fails at Execute, at Bind and at Parse; what comes behind it is not run',
        sends: [
          [...pbe('SELECT * FROM users'), sync],
          [...pbe('SELECT 1 / (id - id) FROM users'), ...pbe('DELETE FROM logs'), sync],
          [parse('', 'SELECT * FROM users WHERE id = $1::int'), bind('', '', ['x']), execute(), sync],
          [...pbe('SELECT nothing FROM users'), ...pbe('DELETE FROM logs'), sync],
        ],
        lines: ['public.users read monolith 1, 3 errors, 2 rows'],
      },
      {
        name: 'a table that there is not has no cell, one that is has one for its errors too',
        sends: [[query('SELECT * FROM nothing_here')], [query('SELECT nothing FROM other.users')]],
        lines: ['other.users read monolith 0, 1 errors'],
      },
      {
        name: 'a pipeline is one transaction',
        sends: [
          [...pbe("INSERT INTO logs (what) VALUES ('a')"), ...pbe("UPDATE users SET name = 'Ada' WHERE id = 1"), sync],
          [...pbe('DELETE FROM logs'), ...pbe('UPDATE users SET name = NULL'), sync],
        ],
        lines: [
          'public.logs write monolith 2, 2 rows',
          'public.users write monolith 1, 1 errors, 1 rows',
          'transaction public.logs public.users: 1 times',
        ],
      },
      {
        name: 'one that pgfig itself rolls back leaves nothing to the next',
        sends: [
          [...pbe("INSERT INTO logs (what) VALUES ('a')"), ...pbe('DELETE FROM orders WHERE id < 0'), sync],
          [...pbe('DELETE FROM orders WHERE id < 0'), sync],
          [...pbe("INSERT INTO logs (what) VALUES ('a')"), query('SELECT * FROM users JOIN orders ON true')],
          [query('UPDATE users SET name = name')],
        ],
        lines: [
          'public.logs write monolith 2, 2 rows',
          'public.orders write orders_db 1',
          'public.users write monolith 1, 2 rows',
          'public.users read  0, 1 refused',
          'public.orders read  0, 1 refused',
          'join public.orders public.users: 0 times, 1 refused',
          'transaction public.logs public.orders: 0 times, 1 refused',
        ],
      },
      {
        name: 'statements of their own are not',
        sends: [
          [query("INSERT INTO logs (what) VALUES ('a')")],
          [query('UPDATE users SET name = name')],
          [...pbe('DELETE FROM logs'), sync, ...pbe('UPDATE users SET name = name'), sync],
        ],
        lines: ['public.logs write monolith 2, 3 rows', 'public.users write monolith 2, 4 rows'],
      },
      {
        name: 'a string is one, unless it says otherwise',
        sends: [
          [query("INSERT INTO logs (what) VALUES ('a'); UPDATE users SET name = name; SELECT 1")],
          [query('DELETE FROM logs; UPDATE users SET name = NULL')],
          [query('BEGIN; DELETE FROM logs; COMMIT; UPDATE users SET name = name')],
          [query('BEGIN; DELETE FROM logs; SAVEPOINT s; UPDATE users SET name = name; ROLLBACK TO s; COMMIT')],
          [query('BEGIN; DELETE FROM logs; UPDATE users SET name = name; ROLLBACK')],
        ],
        lines: [
          'public.logs write monolith 5, 3 rows',
          'public.users write monolith 4, 1 errors, 8 rows',
          'transaction public.logs public.users: 1 times',
        ],
      },
      {
        name: 'a transaction that fails, and one that is rolled back by COMMIT',
        sends: [
          [query('BEGIN')],
          [query('DELETE FROM logs')],
          [query('UPDATE users SET name = name')],
          [query('SELECT 1 / 0')],
          [query('COMMIT')],
          [query('BEGIN')],
          [query('DELETE FROM logs')],
          [query('SAVEPOINT s')],
          [query('UPDATE users SET name = NULL')],
          [query('ROLLBACK TO s')],
          [query('COMMIT AND CHAIN')],
          [query('UPDATE users SET name = name')],
          [query('COMMIT')],
        ],
        lines: ['public.logs write monolith 2', 'public.users write monolith 2, 1 errors, 4 rows'],
      },
      {
        name: 'COMMIT in the middle of a pipeline',
        sends: [
          [
            ...[...pbe('BEGIN'), ...pbe('DELETE FROM logs'), ...pbe('UPDATE users SET name = name'), ...pbe('COMMIT')],
            ...[...pbe('BEGIN'), ...pbe('DELETE FROM logs'), ...pbe('ROLLBACK'), sync],
          ],
        ],
        lines: [
          'public.logs write monolith 2',
          'public.users write monolith 1, 2 rows',
          'transaction public.logs public.users: 1 times',
        ],
      },
      {
        name: 'rows that come in parts are one statement',
        sends: [
          [query('BEGIN')],
          [parse('', 'SELECT * FROM users'), bind('p', ''), execute('p', 1), execute('p', 1), execute('p', 1), sync],
          [query('COMMIT')],
          [query('BEGIN')],
          [query('DECLARE c CURSOR FOR SELECT * FROM users')],
          [query('FETCH 1 FROM c')],
          [query('FETCH 1 FROM c')],
          [query('COMMIT')],
        ],
        lines: ['public.users read monolith 2, 2 rows'],
      },
      {
        name: 'PREPARE runs nothing, EXECUTE what was prepared',
        sends: [
          [query("PREPARE p AS INSERT INTO logs (what) VALUES ('secret')")],
          [query('EXECUTE p')],
          [query('EXECUTE p')],
          [...pbe('EXECUTE p'), sync],
          [query('DEALLOCATE p')],
        ],
        lines: ['public.logs write monolith 3, 3 rows'],
      },
      {
        name: 'COPY, both ways',
        sends: [
          [query('COPY logs (what) FROM STDIN'), frame('d', Buffer.from('a\nb\n')), frame('c')],
          [query('COPY (SELECT * FROM users) TO STDOUT')],
          [query('COPY logs (what) FROM STDIN'), frame('d', Buffer.from('c\n')), frame('f', cstring('no'))],
        ],
        lines: ['public.logs write monolith 1, 1 errors, 2 rows', 'public.users read monolith 1, 2 rows'],
      },
      {
        name: 'a string that is split over two databases',
        sends: [[query('SELECT * FROM users; SELECT * FROM orders WHERE id < 10')]],
        lines: ['public.users read monolith 1, 2 rows', 'public.orders read orders_db 1, 2 rows'],
      },
      {
        name: 'a string that writes in two is refused',
        sends: [[query('DELETE FROM logs; DELETE FROM orders')]],
        lines: ['public.logs write  0, 1 refused', 'public.orders write  0, 1 refused'],
      },
      {
        name: 'a transaction that may not write in a second database, by either protocol',
        sends: [
          [query('BEGIN')],
          [query('DELETE FROM logs')],
          [query('DELETE FROM orders')],
          [query('ROLLBACK')],
          [...pbe('BEGIN'), ...pbe('DELETE FROM logs'), sync],
          [...pbe('DELETE FROM orders'), sync],
          [query('ROLLBACK')],
        ],
        lines: ['public.logs write monolith 2, 10 rows', 'transaction public.logs public.orders: 0 times, 2 refused'],
      },
      {
        name: 'definitions; temporary tables, system catalogs and settings leave nothing',
        sends: [
          [query('CREATE TABLE made (id int)')],
          [query('CREATE INDEX ON made (id)')],
          [query('INSERT INTO made SELECT id FROM users')],
          [query('CREATE TEMP TABLE users2 AS SELECT * FROM users')],
          [query('SELECT * FROM users2')],
          [query('SELECT count(*) FROM pg_class')],
          [query("SET work_mem = '8MB'")],
          [query('DROP TABLE made')],
        ],
        lines: [
          'public.made ddl monolith 3',
          'public.made write monolith 1, 2 rows',
          'public.users read monolith 2, 4 rows',
          'join public.made public.users: 1 times',
        ],
      },
      {
        name: 'names follow search_path and temporary tables',
        sends: [
          [query('SET search_path = other, public')],
          [query('SELECT * FROM users')],
          [query('RESET search_path')],
          [query('CREATE TEMP TABLE users (id int)')],
          [query('SELECT * FROM users')],
          [query('DROP TABLE users')],
          [query('SELECT * FROM names')],
        ],
        lines: [
          'other.users read monolith 1',
          'public.names read monolith 1, 2 rows',
          'public.users read monolith 1, 1 hidden',
        ],
      },
      {
        name: 'what cannot be read or seen through is told as such',
        sends: [[query('SELECT writes_unseen(1)')], [query('SELCT 1')]],
        lines: [
          'function public.writes_unseen() cannot be seen through: dynamic SQL (EXECUTE) opaque monolith 1, 1 rows',
          'text that does not parse opaque monolith 0, 1 errors',
        ],
      },
    ],
    shop.pgfig,
  ),
);

t.test('with one database names are followed all the same', async (t) => {
  const pgfig = await startPgfig({ databases: { monolith: shop.monolith.url('shop') } });
  await shop.monolith.query('DROP SCHEMA pgfig CASCADE', 'shop');
  await check(
    t,
    [
      {
        name: 'search_path, also within a string and a transaction',
        sends: [
          [query('SELECT * FROM users')],
          [query('SET search_path = other')],
          [query('SELECT * FROM users')],
          [query('SET search_path = public; SELECT * FROM users')],
          [query('BEGIN')],
          [query('SET LOCAL search_path = other')],
          [query('SELECT * FROM users')],
          [query('COMMIT')],
          [query('SELECT * FROM users')],
        ],
        lines: ['public.users read monolith 3, 6 rows', 'other.users read monolith 2'],
      },
      {
        name: 'temporary tables',
        sends: [
          [query('CREATE TEMP TABLE users (id int)')],
          [query('SELECT * FROM users')],
          [query('DISCARD TEMP')],
          [query('SELECT * FROM users')],
        ],
        lines: ['public.users read monolith 1, 2 rows'],
      },
      {
        name: 'a view that was just made, once the catalog shows it',
        sends: [[query('CREATE VIEW fresh AS SELECT * FROM users')], [query('DROP VIEW fresh')]],
        lines: ['public.fresh ddl monolith 2', 'public.users read monolith 1'],
      },
    ],
    pgfig,
  );
});
