import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { freePort } from '../../src/embedded/postgres-server.js';
import type { Cell, Matrix, Pair } from '../../src/matrix/matrix.js';
import { matrixToText } from '../../src/matrix/wire-text.js';
import { MatrixKeeper } from '../../src/operator/matrix/matrix-keeper.js';
import { MatrixStore } from '../../src/operator/matrix/matrix-store.js';
import { storedMatrix } from '../../src/operator/matrix/stored-matrix.js';
import { writeConfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';

const cell = (more: Partial<Cell> = {}): Cell => ({
  service: 'order-service',
  table: 'public.orders',
  access: 'read',
  database: 'monolith',
  statements: 1,
  hidden: 0,
  errors: 0,
  refused: 0,
  rows: 2,
  seconds: 0.5,
  first: Date.UTC(2026, 0, 2),
  last: Date.UTC(2026, 0, 3),
  example: 'SELECT ?',
  ...more,
});
const pair = (more: Partial<Pair> = {}): Pair => ({
  service: 'order-service',
  kind: 'join',
  a: 'public.orders',
  b: 'public.users',
  count: 1,
  refused: 0,
  first: Date.UTC(2026, 0, 2),
  last: Date.UTC(2026, 0, 3),
  exampleA: 'SELECT ?',
  exampleB: '',
  ...more,
});

const server = await startPostgres();
const configFor = async (dbname: string, control?: string) => {
  const ports = { listen: await freePort(), admin: await freePort() };
  const config = control === undefined ? {} : { config: { control: { url: control } } };
  return loadConfig(await writeConfig({ databases: { monolith: server.url(dbname) }, ...config }, ports));
};

t.test('adds up, once for each flush, over instances', async (t) => {
  const config = await configFor('postgres');
  await t.rejects(storedMatrix(config), { code: 'MATRIX_UNREADABLE', hint: /--from-csvlog/ });
  const [one, two] = [new MatrixStore(config), new MatrixStore(config)];
  const matrix: Matrix = { cells: [cell(), cell({ table: 'public.users', example: '' })], pairs: [pair()] };
  const [a, b] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
  await Promise.all([one.add(matrix, { instance: a, sequence: 1 }), two.add(matrix, { instance: b, sequence: 1 })]);
  await one.add(matrix, { instance: a, sequence: 1 });
  t.match((await storedMatrix(config)).cells[0], { statements: 2, rows: 4, seconds: 1 }, 'the repeated one is known');
  const later = { first: Date.UTC(2025, 0, 1), last: Date.UTC(2027, 0, 1), example: 'UPDATE ?' };
  await one.add(
    { cells: [cell(later), cell({ ...later, table: 'public.users' })], pairs: [pair({ count: 5, refused: 2 })] },
    { instance: a, sequence: 2 },
  );
  const { cells, pairs } = await storedMatrix(config);
  t.match(cells[0], { ...cell(), ...later, example: 'SELECT ?', statements: 3, rows: 6, seconds: 1.5 });
  t.match(cells[1], { table: 'public.users', example: 'UPDATE ?' }, 'an example that was missing is filled in');
  t.match(pairs, [{ count: 7, refused: 2 }]);
  await Promise.all([one.close(), two.close()]);
});

t.test('many instances that begin at once, with many cells in every order', async (t) => {
  await server.query('CREATE DATABASE fleet');
  const config = await configFor('fleet');
  const cells = Array.from({ length: 3_000 }, (_, i) => cell({ table: `public.t${i}`, service: `s${i % 7}` }));
  const stores = Array.from({ length: 4 }, () => new MatrixStore(config));
  await Promise.all(
    stores.map(async (store, at) => {
      const instance = `0000000${at}-0000-4000-8000-000000000000`;
      for (let sequence = 1; sequence <= 3; sequence++) {
        await store.add({ cells: at % 2 === 0 ? cells : cells.toReversed(), pairs: [pair()] }, { instance, sequence });
      }
    }),
  );
  const stored = await storedMatrix(config);
  t.equal(stored.cells.length, 3_000);
  t.ok(stored.cells.every(({ statements }) => statements === 12));
  t.equal(stored.pairs[0]?.count, 12);
  await Promise.all(stores.map((store) => store.close()));
});

t.test('a keeper whose answer is lost does not count twice; a database that is down loses nothing', async (t) => {
  await server.query('CREATE DATABASE keeper');
  const config = await configFor('keeper');
  const store = new MatrixStore(config);
  let trouble: 'none' | 'lost answer' | 'down' = 'none';
  const heard: string[] = [];
  const keeper = new MatrixKeeper({
    store: {
      add: async (matrix, id) => {
        if (trouble === 'down') throw new Error('connection refused');
        await store.add(matrix, id);
        if (trouble === 'lost answer') throw new Error('connection reset');
      },
      close: () => store.close(),
    },
    interval: 3_600_000,
    onError: (error) => heard.push(error.message),
    onRecovered: () => heard.push('recovered'),
  });
  const text = matrixToText({ cells: [cell()], pairs: [pair()] });
  const stored = async (): Promise<number | undefined> => (await storedMatrix(config)).cells[0]?.statements;

  keeper.add(text);
  await keeper.flush();
  t.equal(await stored(), 1);
  trouble = 'lost answer';
  keeper.add(text);
  await keeper.flush();
  t.equal(await stored(), 2, 'it was stored, and nobody knows');
  t.equal(keeper.error, 'connection reset');
  keeper.add(text);
  trouble = 'down';
  await keeper.flush();
  await keeper.flush();
  keeper.add(text);
  t.equal(await stored(), 2);
  t.equal(keeper.pending, 4, 'two cells and two pairs wait');
  trouble = 'none';
  await keeper.flush();
  t.equal(await stored(), 4);
  t.equal(keeper.pending, 0);
  t.equal(keeper.error, null);
  t.same(heard, ['connection reset', 'recovered'], 'trouble is told once');
  keeper.add(text);
  await keeper.close(10_000);
  t.equal(await stored(), 5, 'the last words are kept');
});

t.test('a cell that the database refuses keeps none of the others', async (t) => {
  await server.query("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
  const config = await configFor('latin');
  const refused: string[] = [];
  const keeper = new MatrixKeeper({
    store: new MatrixStore(config),
    interval: 3_600_000,
    onError: (error) => t.fail(error.message),
    onRefused: (error) => refused.push(error.message),
    onRecovered: () => t.fail('nothing was broken'),
  });
  const tables = Array.from({ length: 50 }, (_, i) => cell({ table: i === 31 ? 'public.\u0416' : `public.t${i}` }));
  keeper.add(matrixToText({ cells: tables, pairs: [pair(), pair({ exampleA: '\u4e2d', a: 'public.a' })] }));
  await keeper.flush();
  const { cells, pairs } = await storedMatrix(config);
  t.equal(cells.length, 49);
  t.ok(
    cells.every(({ statements }) => statements === 1),
    'each once',
  );
  t.equal(pairs.length, 1);
  t.equal(keeper.dropped, 2);
  t.equal(refused.length, 2);
  t.equal(keeper.pending, 0);
  await keeper.close(10_000);
});

t.test('without the right to make the schema it says what is needed, and one made beforehand is enough', async (t) => {
  await server.query('CREATE DATABASE strict');
  await server.query('CREATE ROLE watcher LOGIN');
  const { MATRIX_SCHEMA } = await import('../../src/operator/matrix/matrix-schema.js');
  const config = await configFor('strict', server.url('strict').replace(/\/\/[^@]*@/, '//watcher@'));
  const store = new MatrixStore(config);
  const id = { instance: '44444444-4444-4444-8444-444444444444', sequence: 1 };
  await t.rejects(store.add({ cells: [cell()], pairs: [] }, id), { code: '42501' });
  await server.query(MATRIX_SCHEMA, 'strict');
  await server.query('GRANT USAGE ON SCHEMA pgfig TO watcher', 'strict');
  await server.query('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pgfig TO watcher', 'strict');
  await store.add({ cells: [cell()], pairs: [] }, id);
  t.equal((await storedMatrix(config)).cells.length, 1);
  await store.close();
});

t.test('a schema of the first version gets what is new, or goes on without it', async (t) => {
  await server.query('CREATE DATABASE older');
  await server.query('CREATE ROLE keeper LOGIN');
  const { ensureMatrixSchema, MATRIX_SCHEMA } = await import('../../src/operator/matrix/matrix-schema.js');
  const { connectPg } = await import('../../src/backend/pg-client.js');
  const [first = ''] = MATRIX_SCHEMA.split('CREATE TABLE IF NOT EXISTS pgfig.table_activity');
  t.match(first, /VALUES \('matrix', 1\)/);
  await server.query(first, 'older');
  await server.query('GRANT USAGE ON SCHEMA pgfig TO keeper', 'older');
  await server.query('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pgfig TO keeper', 'older');
  const version = async (): Promise<unknown> =>
    (await server.query('SELECT version FROM pgfig.schema_version', 'older')).rows;

  const keeper = await configFor('older', server.url('older').replace(/\/\/[^@]*@/, '//keeper@'));
  const store = new MatrixStore(keeper);
  const id = { instance: '55555555-5555-4555-8555-555555555555', sequence: 1 };
  await store.add({ cells: [cell()], pairs: [] }, id);
  await store.close();
  t.same(await version(), [{ version: 1 }], 'flushes need the first version alone');
  const without = await connectPg(keeper, keeper.control, 'pgfig test');
  await t.rejects(ensureMatrixSchema(without), { code: '42501' });
  await without.end();

  const config = await configFor('older');
  const clients = await Promise.all([1, 2, 3].map(() => connectPg(config, config.control, 'pgfig test')));
  await Promise.all(clients.map((client) => ensureMatrixSchema(client)));
  t.same(await version(), [{ version: 2 }]);
  t.equal((await storedMatrix(config)).cells.length, 1, 'what was stored stays');
  const { rows } = await server.query("SELECT to_regclass('pgfig.table_activity')::text AS made", 'older');
  t.same(rows, [{ made: 'pgfig.table_activity' }]);
  await Promise.all(clients.map((client) => client.end()));
  await server.query(MATRIX_SCHEMA, 'older');
  t.same(await version(), [{ version: 2 }], 'operators may run all of it again');
});
