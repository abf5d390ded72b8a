import { Writable } from 'node:stream';
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { freePort } from '../../src/embedded/postgres-server.js';
import type { Cell } from '../../src/matrix/matrix.js';
import { type MatrixOptions, matrix } from '../../src/operator/cli/matrix.js';
import { MatrixStore } from '../../src/operator/matrix/matrix-store.js';
import { writeConfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';

const server = await startPostgres();
const ports = { listen: await freePort(), admin: await freePort() };
const file = await writeConfig({ databases: { monolith: server.url() } }, ports);

/** Keeps what is written; as wide as a terminal of so many columns, or a file. */
class Paper extends Writable {
  text = '';
  readonly columns: number | undefined;

  constructor(columns?: number) {
    super();
    this.columns = columns;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}

async function shown(options: Partial<MatrixOptions> = {}, columns?: number): Promise<string> {
  const paper = new Paper(columns);
  t.equal(await matrix({ config: file, ...options }, paper), 0);
  return paper.text;
}

const cell = (service: string, table: string, access: Cell['access'], more: Partial<Cell> = {}): Cell => ({
  ...{ service, table, access, database: 'monolith', statements: 1, hidden: 0, errors: 0, refused: 0, rows: 2 },
  ...{ seconds: 0.5, first: Date.UTC(2026, 0, 2), last: Date.UTC(2026, 0, 3, 4, 5), example: 'SELECT ?' },
  ...more,
});

t.test('before anything is stored it says what to do', async (t) => {
  await t.rejects(matrix({ config: file }, new Paper()), { code: 'MATRIX_UNREADABLE', hint: /matrix.enabled/ });
});

t.test('the table', async (t) => {
  const store = new MatrixStore(loadConfig(file));
  const cells = [
    cell('order-service', 'public.orders', 'read', { statements: 40 }),
    cell('order-service', 'public.orders', 'write', { statements: 2, last: Date.UTC(2026, 5, 1) }),
    cell('reporting', 'public.orders', 'write', { database: 'orders_db' }),
    cell('reporting', 'public.users', 'read', { statements: 0, refused: 3, database: '' }),
    cell('=cmd|x', 'public."a ""b"', 'ddl'),
    cell('reporting', 'function f() cannot be seen through', 'opaque', { statements: 9 }),
  ];
  const pair = { service: 'reporting', kind: 'join' as const, a: 'public.orders', b: 'public.users', count: 1 };
  const times = { refused: 0, first: 1000, last: 2000, exampleA: 'SELECT ?', exampleB: '' };
  await store.add(
    { cells, pairs: [{ ...pair, ...times }] },
    { instance: '55555555-5555-4555-8555-555555555555', sequence: 1 },
  );
  await store.close();

  t.equal(
    await shown(),
    `table           =cmd|x  order-service  reporting  statements  last seen
public."a ""b"  D       -              -                   1  2026-01-03 04:05
public.orders   -       RW             W                  43  2026-06-01 00:00
public.users    -       -              x                   0  2026-01-03 04:05

3 tables, 3 services; 1 written by more than one service; 3 statements refused (x: all that this service sent there). R reads, W writes, D DDL; times are UTC.

not seen through, so what they touch is not in the table:
  reporting: 9 x function f() cannot be seen through
`,
  );
  const rows = async (options: Partial<MatrixOptions>): Promise<string[]> =>
    (await shown(options)).split('\n').flatMap((line) => /^public\S*/.exec(line)?.[0] ?? []);
  t.same(await rows({ sort: 'statements' }), ['public.orders', 'public."a', 'public.users']);
  t.same(await rows({ sort: 'writers' }), ['public.orders', 'public."a', 'public.users']);
  t.same(await rows({ sort: 'last' }), ['public.orders', 'public."a', 'public.users']);
  t.same(await rows({ table: ['*.ord?rs', 'nothing'] }), ['public.orders']);
  t.same(await rows({ service: ['=*'] }), ['public."a']);
  t.match(await shown({ table: ['nothing'] }), /^no statement has touched a table yet/);
  const narrow = await shown({}, 50);
  t.match(narrow, /^table +1 +2 +3 +statements/);
  t.match(narrow, /services: 1 =cmd\|x, 2 order-service, 3 reporting/);
});

t.test('for other programs', async (t) => {
  const csv = (await shown({ csv: true })).split('\r\n');
  t.equal(csv[0], 'table,service,access,reads,writes,ddl,errors,refused,rows,seconds,first_seen,last_seen,databases');
  t.equal(csv.length, 6, 'a header, four lines, an end');
  const hostile = `"public.""a """"b""",'=cmd|x,D,0,0,1,0,0,2,0.500,2026-01-02T00:00:00.000Z,2026-01-03T04:05:00.000Z,monolith`;
  t.ok(csv.includes(hostile), 'quotes are doubled, and no spreadsheet takes a name for a formula');
  const { cells, pairs } = JSON.parse(await shown({ json: true })) as { cells: object[]; pairs: object[] };
  t.equal(cells.length, 6);
  t.match(cells.at(-1), { table: 'public.users', refused: 3, last: '2026-01-03T04:05:00.000Z' });
  t.match(pairs, [{ kind: 'join', a: 'public.orders', count: 1, first: '1970-01-01T00:00:01.000Z' }]);
  t.match(await shown({ schema: true }), /^CREATE SCHEMA IF NOT EXISTS pgfig;/);
});
