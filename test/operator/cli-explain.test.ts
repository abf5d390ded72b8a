import t from 'tap';
import { writeConfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';
import { pgfig } from './cli-run.js';

const RULES = { orders: { database: 'orders_db', phase: 'write-new', tables: ['public.orders', 'app.invoices'] } };
const nowhere = { monolith: 'postgres://127.0.0.1:1/shop', orders_db: 'postgres://127.0.0.1:1/orders' };
const offline = await writeConfig({ databases: nowhere, rules: RULES }, { listen: 6432, admin: 6433 });

t.test('one JSON object for a text, keys in their order', async (t) => {
  const { code, stdout } = await pgfig([
    'explain',
    '-c',
    offline,
    '--offline',
    '--json',
    'SELECT * FROM users; DELETE FROM orders',
  ]);
  t.equal(code, 0);
  t.equal(
    stdout,
    `${JSON.stringify({
      statements: [
        {
          kind: 'select',
          reads: ['public.users'],
          writes: [],
          route: 'monolith',
          refused: null,
          reason: 'public.users is taken to be in the default database monolith (no rule)',
          mirror: null,
        },
        {
          kind: 'delete',
          reads: [],
          writes: ['public.orders'],
          route: 'orders_db',
          refused: null,
          reason: 'public.orders is in orders_db (domain orders, phase write-new)',
          mirror: null,
        },
      ],
    })}\n`,
  );
});

t.test('a refusal has no route, and says why', async (t) => {
  const { code, stdout } = await pgfig([
    'explain',
    '-c',
    offline,
    '--offline',
    '--json',
    'SELECT * FROM users, orders',
  ]);
  t.equal(code, 0);
  t.match(JSON.parse(stdout), {
    statements: [{ route: null, refused: /public\.users is in monolith; public\.orders is in orders_db/ }],
  });
});

t.test('text for people', async (t) => {
  const { stdout } = await pgfig(['explain', '-c', offline, '--offline', 'SELECT 1; SELECT * FROM users, orders']);
  t.match(
    stdout,
    /^1\. select\n {2}reads {3}-\n {2}writes {2}-\n {2}route {3}any\n {2}reason {2}.*\n\n2\. select\n {2}reads {3}public\.users, public\.orders\n/,
  );
  t.match(stdout, /route {3}refused \(0A000\)/);
});

t.test('what one statement does to names counts for the next', async (t) => {
  const sql = `SET search_path = app; SELECT * FROM invoices; RESET search_path; SELECT * FROM invoices;
    SELECT * FROM orders; CREATE TEMP TABLE scratch (id int); INSERT INTO scratch SELECT id FROM orders;
    CREATE TEMP TABLE orders AS SELECT 1; DROP TABLE orders; SELECT * FROM orders; DISCARD ALL; SELECT * FROM scratch`;
  const { stdout } = await pgfig(['explain', '-c', offline, '--offline', '--json', sql]);
  const { statements }: { statements: { route: string; reads: string[]; writes: string[] }[] } = JSON.parse(stdout);
  t.same(
    statements.map((s) => [s.route, ...s.reads, ...s.writes].join(' ')),
    [
      'any',
      'orders_db app.invoices',
      'any',
      'monolith public.invoices',
      'orders_db public.orders',
      'any pg_temp.scratch',
      'orders_db public.orders pg_temp.scratch',
      'any pg_temp.orders',
      'orders_db pg_temp.orders',
      'orders_db public.orders',
      'every',
      'monolith public.scratch',
    ],
  );
});

t.test('JSON lines are answered one by one, in order', async (t) => {
  const lines = Array.from({ length: 3000 }, (_, i) =>
    JSON.stringify({ sql: `SELECT ${i} FROM ${i % 2 ? 'orders' : 'users'}` }),
  );
  const { code, stdout } = await pgfig(['explain', '-c', offline, '--offline', '--stdin'], `${lines.join('\n')}\n\n`);
  t.equal(code, 0);
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map((line): { statements: { route: string }[] } => JSON.parse(line));
  t.equal(answers.length, 3000);
  t.ok(answers.every((answer, i) => answer.statements[0]?.route === (i % 2 ? 'orders_db' : 'monolith')));
});

t.test('a line that cannot be read is answered too, and told by the exit code', async (t) => {
  const { code, stdout } = await pgfig(
    ['explain', '-c', offline, '--offline', '--stdin'],
    'nope\n{"sql":1}\n{"sql":"SELECT 1"}\n{"sql":""}\n',
  );
  t.equal(code, 2);
  t.match(
    stdout
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line)),
    [
      { error: 'line 1 is not a JSON object with a text "sql"' },
      { error: 'line 2 is not a JSON object with a text "sql"' },
      { statements: [{ route: 'any' }] },
      { statements: [] },
    ],
  );
});

t.test('statements too deep to parse leave the good ones among them as they are', async (t) => {
  const deep = JSON.stringify({ sql: `SELECT ${'1+'.repeat(20_000)}1` });
  const good = JSON.stringify({ sql: 'SELECT * FROM orders' });
  const input = Array.from({ length: 40 }, (_, i) => (i % 20 === 19 ? good : deep)).join('\n');
  const { code, stdout } = await pgfig(['explain', '-c', offline, '--offline', '--stdin'], input);
  t.equal(code, 0);
  const kinds = stdout
    .trimEnd()
    .split('\n')
    .map((line): string => JSON.parse(line).statements[0].kind);
  t.same([kinds.length, kinds[19], kinds[39]], [40, 'select', 'select']);
  t.equal(kinds[0], 'unparsable');
});

t.test('wrong use is told in a line', async (t) => {
  for (const args of [
    ['explain'],
    ['explain', 'SELECT 1', '--stdin'],
    ['explain', '--bogus'],
    ['bogus'],
    ['explain', 'a', 'b'],
    ['serve', '--keep', 'x'],
  ]) {
    const { code, stdout, stderr } = await pgfig(args);
    t.equal(code, 2, args.join(' '));
    t.equal(stdout, '');
    t.match(stderr, /help/);
  }
});

t.test('help and version are answers', async (t) => {
  const help = await pgfig(['--help']);
  t.match(help, { code: 0, stdout: /serve.*explain.*check.*Examples:.*Exit codes/s });
  t.match(await pgfig(['explain', '--help']), { code: 0, stdout: /--stdin.*Examples:/s });
  t.match(await pgfig(['--version']), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ });
});

t.test('with databases, names are those of the catalog and of the role', async (t) => {
  const server = await startPostgres();
  await server.query('CREATE DATABASE shop');
  await server.query('CREATE DATABASE orders');
  await server.query(
    'CREATE SCHEMA app; CREATE TABLE app.users (id int); CREATE TABLE app.invoices (id int); CREATE TABLE public.users (id int); CREATE ROLE ann; ALTER ROLE ann SET search_path = app, public',
    'shop',
  );
  const config = await writeConfig(
    {
      databases: { monolith: server.url('shop'), orders_db: server.url('orders') },
      rules: RULES,
      config: { homes: { billing: 'orders_db' } },
    },
    { listen: 6432, admin: 6433 },
  );
  const explain = async (sql: string, ...args: string[]): Promise<unknown> => {
    const { stdout, stderr } = await pgfig(['explain', '-c', config, '--json', ...args, sql]);
    t.equal(stderr, '');
    const { statements }: { statements: unknown[] } = JSON.parse(stdout);
    return statements[0];
  };
  t.match(await explain('SELECT * FROM users'), {
    reads: ['public.users'],
    reason: /in the default database monolith \(no rule\)/,
  });
  t.match(await explain('SELECT * FROM users', '--user', 'ann'), { reads: ['app.users'] });
  t.match(await explain('SELECT * FROM invoices', '--user', 'ann'), { reads: ['app.invoices'], route: 'orders_db' });
  t.match(await explain('SELECT * FROM invoices'), {
    reads: ['public.invoices'],
    route: 'monolith',
    reason: /is not known/,
  });
  t.match(await explain('SELECT * FROM pg_class'), { route: 'monolith' });
  t.match(await explain('SELECT * FROM pg_class', '--service', 'billing'), { route: 'orders_db' });
});

t.test('without them, --offline is needed', async (t) => {
  const { code, stdout, stderr } = await pgfig(['explain', '-c', offline, 'SELECT 1']);
  t.equal(code, 3);
  t.equal(stdout, '');
  t.match(stderr, /database monolith \(127\.0\.0\.1:1\/shop\) cannot be reached: .*ECONNREFUSED/);
  t.match(stderr, /database orders_db/);
  t.match(stderr, /hint: .*--offline/);
});
