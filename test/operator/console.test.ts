import { spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import pg from 'pg';
import postgres from 'postgres';
import t from 'tap';
import { noPrograms } from '../clients/program.js';
import { startPgfig, type TestPgfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';

const server = await startPostgres();
await server.query('CREATE DATABASE shop');
await server.query('CREATE DATABASE orders');
await server.query('CREATE TABLE users (id int)', 'shop');
await server.query('CREATE TABLE orders (id int)', 'orders');
const ORDERS = { database: 'orders_db', tables: ['public.orders'], owner: 'order-service', phase: 'write-new' };
const pgfig: TestPgfig = await startPgfig({
  databases: { monolith: server.url('shop'), orders_db: server.url('orders') },
  rules: { orders: ORDERS },
  config: { listen: { workers: 2 } },
});

async function connect(options: pg.ClientConfig = {}): Promise<pg.Client> {
  // A socket that is handed to a worker at the moment of its death is answered by nobody.
  const connectionTimeoutMillis = 10_000;
  const client = new pg.Client({ connectionString: pgfig.url('pgfig'), connectionTimeoutMillis, ...options });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function ask(text: string): Promise<pg.QueryResult> {
  const client = await connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

function psql(...args: string[]): Promise<{ stdout: string; stderr: string; code: number | null }> {
  const child = spawn('/usr/lib/postgresql/15/bin/psql', ['-X', pgfig.url('pgfig'), ...args], { stdio: 'pipe' });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  child.stdin.end();
  return new Promise((resolve) => child.once('close', (code) => resolve({ stdout, stderr, code })));
}

const columnsOf = ({ fields }: pg.QueryResult): string => fields.map((f) => `${f.name}:${f.dataTypeID}`).join(' ');
const [BOOL, INT8, INT4, TEXT, TIMESTAMPTZ] = [16, 20, 23, 25, 1184];

t.test('each command has its columns', async (t) => {
  const expected: Record<string, string> = {
    'SHOW HELP': `command:${TEXT} about:${TEXT}`,
    'SHOW VERSION': `version:${TEXT}`,
    'SHOW RULES': `domain:${TEXT} phase:${TEXT} database:${TEXT} tables:${TEXT} owner:${TEXT} file:${TEXT} version:${INT4} loaded_at:${TIMESTAMPTZ} pending:${TEXT} last_error:${TEXT}`,
    'SHOW PENDING': `kind:${TEXT} domain:${TEXT} at:${TEXT} from:${TEXT} to:${TEXT} moves:${TEXT} reason:${TEXT}`,
    'SHOW TABLES': `table:${TEXT} domain:${TEXT} phase:${TEXT} reads:${TEXT} writes:${TEXT} note:${TEXT}`,
    'SHOW DATABASES': `name:${TEXT} host:${TEXT} port:${INT4} database:${TEXT} force_user:${TEXT} is_default:${BOOL} reachable:${BOOL} links:${INT4}`,
    'SHOW CATALOG': `database:${TEXT} read_at:${TIMESTAMPTZ} error:${TEXT} relations:${INT4}`,
    'SHOW CLIENTS': `user:${TEXT} service:${TEXT} database:${TEXT} peer:${TEXT} tls:${BOOL} state:${TEXT} home:${TEXT} worker:${INT4} pid:${INT4} since:${TIMESTAMPTZ}`,
    'SHOW WORKERS': `slot:${INT4} pid:${INT4} listening:${BOOL} sessions:${INT4} rules_version:${INT4} restarts:${INT4}`,
    'SHOW STATS': `database:${TEXT} kind:${TEXT} statements:${INT8}`,
    'SHOW CONFIG': `key:${TEXT} value:${TEXT}`,
  };
  const client = await connect();
  const help = await client.query('show help;');
  t.same(
    help.rows.map(({ command }) => command),
    [...Object.keys(expected), 'RELOAD'],
  );
  for (const [command, columns] of Object.entries(expected)) {
    const result = await client.query(command);
    t.equal(columnsOf(result), columns, command);
    t.equal(result.command, 'SHOW', command);
  }
  await client.end();
});

t.test('what is shown is true', async (t) => {
  const before = Date.now();
  const service = await connect({ connectionString: pgfig.url(), application_name: 'order-service' });
  const other = await connect({ connectionString: pgfig.url('postgres'), application_name: 'other' });
  await service.query('SELECT FROM orders');
  await service.query('BEGIN');
  await service.query('SELECT FROM users');
  const client = await connect();
  const rows = async (text: string): Promise<Record<string, unknown>[]> => (await client.query(text)).rows;

  t.match(await rows('SHOW VERSION'), [{ version: /^pgfig \d+\.\d+/ }]);
  t.match(await rows('SHOW RULES'), [
    {
      domain: 'orders',
      phase: 'write-new',
      database: 'orders_db',
      tables: 'public.orders',
      owner: 'order-service',
      file: 'orders.yaml',
      version: 1,
      loaded_at: Date,
      pending: null,
      last_error: null,
    },
  ]);
  t.same(await rows('SHOW PENDING'), []);
  t.same(await rows('SHOW TABLES'), [
    {
      table: 'public.orders',
      domain: 'orders',
      phase: 'write-new',
      reads: 'orders_db',
      writes: 'orders_db',
      note: null,
    },
    { table: '*', domain: null, phase: null, reads: 'monolith', writes: 'monolith', note: null },
  ]);
  t.match(await rows('SHOW DATABASES'), [
    { name: 'monolith', port: server.port, database: 'shop', force_user: 'postgres', is_default: true, links: 2 },
    { name: 'orders_db', database: 'orders', is_default: false, reachable: true, links: 1 },
  ]);
  const catalog = await rows('SHOW CATALOG');
  t.match(catalog, [
    { database: 'monolith', read_at: Date, error: null },
    { database: 'orders_db', read_at: Date },
  ]);
  t.ok(Number(catalog[0]?.relations) > 0);

  const clients = await rows('SHOW CLIENTS');
  t.equal(clients.length, 3);
  t.match(clients[0], {
    user: 'postgres',
    service: 'order-service',
    database: 'shop',
    peer: /^127\.0\.0\.1:\d+$/,
    tls: false,
    state: 'idle in transaction',
    home: 'monolith',
  });
  t.match(clients[1], { service: 'other', database: 'postgres', state: 'pass-through' });
  t.match(clients[2], { database: 'pgfig', state: 'active', home: null });
  const since = Number(clients[0]?.since);
  t.ok(since >= before - 1 && since <= Date.now() + 1, 'since is now');
  t.same(new Set(clients.map(({ worker }) => worker)), new Set([1, 2]), 'of all workers');

  const workers = await rows('SHOW WORKERS');
  t.match(workers, [
    { slot: 1, listening: true, rules_version: 1, restarts: 0 },
    { slot: 2, listening: true, rules_version: 1, restarts: 0 },
  ]);
  t.same(
    workers.map(({ sessions }) => Number(sessions)).reduce((a, b) => a + b, 0),
    3,
  );
  const stats = await rows('SHOW STATS');
  t.match(
    stats.find(({ database, kind }) => database === 'orders_db' && kind === 'select'),
    { statements: '1' },
  );
  const config = new Map((await rows('SHOW CONFIG')).map(({ key, value }) => [key, value]));
  t.equal(config.get('listen.port'), String(pgfig.port));
  t.equal(config.get('admin.users'), 'everybody');
  await Promise.all([client.end(), service.end(), other.end()]);
});

t.test('psql works, in one go and from a script', { skip: noPrograms }, async (t) => {
  const table = await psql('-c', 'show rules');
  t.equal(table.stderr, '');
  t.match(table.stdout, /domain +\| +phase .*\n.*\n orders +\| write-new/);
  t.match(table.stdout, /\(1 row\)/);
  const several = await psql('-At', '-c', 'SHOW VERSION; SHOW TABLES', '-c', '', '-c', ';');
  t.match(several.stdout, /^pgfig [\d.]+\npublic\.orders\|orders\|write-new\|orders_db\|orders_db\|\n\*\|/);
  const reload = await psql('-c', 'RELOAD');
  t.match(reload, { stdout: /^RELOAD/, stderr: /NOTICE: {2}the rules are unchanged, version \d+/, code: 0 });
  const wrong = await psql('-c', 'SELECT 1');
  t.match(wrong.stderr, /ERROR: {2}the console does not know "SELECT 1"\nHINT: {2}.*SHOW HELP/);
  t.equal(wrong.code, 1);
  const interactive = await psql('-At', '-f', '/dev/null', '-c', '\\conninfo');
  t.match(interactive.stdout, /You are connected to database "pgfig"/);
  t.equal(interactive.stderr, '', 'no warning about the version');
});

t.test('postgres.js works, as it is and with prepared statements off', async (t) => {
  for (const prepare of [true, false]) {
    const sql = postgres(pgfig.url('pgfig'), { max: 1, prepare, onnotice: () => undefined });
    t.match(await sql`SHOW RULES`, [{ domain: 'orders', version: 1, loaded_at: Date }]);
    t.match(await sql`SHOW VERSION`, [{ version: /pgfig/ }]);
    t.match(await sql.unsafe('SHOW TABLES').simple(), [{ table: 'public.orders' }, { table: '*' }]);
    await t.rejects(async () => await sql`SELECT ${1}`, { code: '42601' });
    await sql`RELOAD`;
    await sql.end();
  }
});

t.test('pg works with the extended protocol, in binary and in pieces', async (t) => {
  const client = await connect();
  const text = 'SHOW TABLES';
  const simple = (await client.query(text)).rows;
  t.equal(simple.length, 2);
  t.same((await client.query({ text, queryMode: 'extended' } as pg.QueryConfig)).rows, simple);
  t.same((await client.query({ text, name: 'w' })).rows, simple);
  t.same((await client.query({ text, name: 'w' })).rows, simple, 'prepared before');
  const pieces = await client.query({ text, name: 'w', rows: 1 } as pg.QueryConfig);
  t.ok(pieces.rows.length >= 1);
  const binary = await client.query({ text: 'SHOW RULES', binary: true } as pg.QueryConfig);
  t.match(binary.rows, [{ domain: 'orders', version: 1 }]);
  await t.rejects(client.query('SHOW RULES WHERE domain = $1', ['orders']), { code: '42601' });
  t.same((await client.query('')).rows, []);
  const several = (await client.query('SHOW VERSION; SHOW WORKERS;')) as unknown as pg.QueryResult[];
  t.same(
    several.map(({ rows }) => rows.length),
    [1, 2],
  );
  t.equal((await client.query('SHOW WORKERS')).rowCount, null);
  await client.end();
});

t.test('RELOAD reads the rules at once, and every worker has them then', async (t) => {
  const client = await connect();
  const notices: string[] = [];
  client.on('notice', (notice) => notices.push(`${notice.severity} ${notice.message} ${notice.detail ?? ''}`));
  for (let i = 0; i < 5; i++) {
    const tables = ['public.orders', `public.extra_${i}`];
    const before = Number((await client.query('SHOW RULES')).rows[0]?.version);
    // The table is written in the same place before and after: nothing that would have to wait.
    await pgfig.writeRule('more', {
      database: 'orders_db',
      tables: [`public.more_${i}`],
      phase: 'dual-write',
      mirror: { capture: 'none' },
    });
    t.equal((await client.query('RELOAD')).command, 'RELOAD');
    const { rows } = await client.query('SHOW RULES');
    t.same(rows.map(({ domain }) => domain).sort(), ['more', 'orders'], tables.join());
    t.ok(Number(rows[0]?.version) > before);
    const workers = (await client.query('SHOW WORKERS')).rows;
    for (const { rules_version } of workers) t.equal(rules_version, rows[0]?.version);
  }
  t.match(notices[0], /^NOTICE new rules took effect, version \d+/);
  await client.end();
});

t.test('a change that moves writes waits, and is shown', async (t) => {
  const client = await connect();
  const notices: string[] = [];
  client.on('notice', (notice) => notices.push(String(notice.message)));
  await pgfig.writeRule('more', {
    database: 'orders_db',
    tables: ['public.more'],
    phase: 'dual-write',
    mirror: { capture: 'none' },
  });
  await client.query('RELOAD');
  await pgfig.writeRule('more', { database: 'orders_db', tables: ['public.more'], phase: 'write-new' });
  await client.query('RELOAD');
  t.ok(notices.some((notice) => /waits; SHOW PENDING/.test(notice)));
  t.match(await client.query('SHOW PENDING').then(({ rows }) => rows), [
    {
      kind: 'change',
      domain: 'more',
      at: /more\.yaml/,
      from: 'dual-write (written in monolith)',
      to: 'write-new (written in orders_db)',
      moves: 'public.more: monolith -> orders_db',
      reason: String,
    },
  ]);
  const { rows } = await client.query('SHOW RULES');
  t.match(
    rows.find(({ domain }) => domain === 'more'),
    { phase: 'dual-write', pending: String },
  );
  await pgfig.removeRule('more');
  await client.query('RELOAD');
  t.same((await client.query('SHOW PENDING')).rows, []);
  await client.end();
});

t.test('RELOAD of a broken folder fails with the faults, which SHOW RULES shows too', async (t) => {
  const client = await connect();
  await writeFile(path.join(pgfig.folder, 'routing-rules', 'bad.yaml'), 'domain: bad\nphase: nowhere\n');
  await t.rejects(client.query('RELOAD'), { code: 'F0000', detail: /bad\.yaml:2:\d+: .*phase/ });
  const { rows } = await client.query('SHOW RULES');
  t.match(rows, [{ domain: 'orders', last_error: /bad\.yaml/ }], 'the last good rules stay');
  t.match((await client.query('SHOW PENDING')).rows[0], { kind: 'fault', at: /bad\.yaml:\d+:\d+/, reason: String });
  await rm(path.join(pgfig.folder, 'routing-rules', 'bad.yaml'));
  await client.query('RELOAD');
  t.match((await client.query('SHOW RULES')).rows, [{ last_error: null }]);
  await client.end();
});

t.test('sessions of the console do not disturb each other', async (t) => {
  const [a, b] = await Promise.all([connect(), connect()]);
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? a.query('RELOAD') : b.query('SHOW CLIENTS; SHOW STATS'))),
  );
  t.match((await a.query('SHOW RULES')).rows, [{ domain: 'orders' }]);
  await Promise.all([a.end(), b.end()]);
});

t.test('what takes long can be cancelled, or left', async (t) => {
  const client = (await connect()) as pg.Client & { processID: number; secretKey: number };
  const leaver = await connect({ application_name: 'leaver' });
  const pid = await controlPid();
  // Nobody answers now.
  process.kill(pid, 'SIGSTOP');
  try {
    const shown = client.query('SHOW RULES').then(
      () => 'answered',
      (error: { code?: string }) => error.code,
    );
    leaver.query('RELOAD').catch(() => undefined);
    const socket = net.connect(pgfig.port, pgfig.host);
    const request = Buffer.alloc(16);
    request.writeInt32BE(16, 0);
    request.writeInt32BE(80877102, 4);
    request.writeInt32BE(client.processID, 8);
    request.writeInt32BE(client.secretKey, 12);
    // The command may not have arrived yet: then there is nothing to cancel.
    const again = setInterval(
      () =>
        net
          .connect(pgfig.port, pgfig.host)
          .on('error', () => undefined)
          .end(request),
      50,
    );
    socket.end(request);
    t.equal(await shown, '57014');
    clearInterval(again);
    (leaver as unknown as { connection: { stream: net.Socket } }).connection.stream.destroy();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  // A cancel request may still be on its way.
  await pgfig.until(async () => {
    const rows = await client.query('SHOW CLIENTS').then(
      (result) => result.rows,
      () => null,
    );
    return rows !== null && !rows.some(({ service }) => service === 'leaver');
  }, 'the list without who left');
  t.match((await client.query('SHOW RULES')).rows, [{ domain: 'orders' }], 'answers do not get mixed up');
  await client.end();
});

t.test('the console answers again when the control process has been replaced', async (t) => {
  const client = await connect();
  const pid = await controlPid();
  process.kill(pid, 'SIGKILL');
  await pgfig.until(async () => {
    const answer = await client.query('SHOW RULES').catch((error: { code?: string }) => error.code);
    if (typeof answer === 'string') t.equal(answer, '57P03');
    return typeof answer === 'object';
  }, 'an answer of the new control process');
  await client.end();
});

/** The primary's child that runs control.js. */
async function controlPid(): Promise<number> {
  const child = spawn('ps', ['-o', 'pid=,args=', '--ppid', String(pgfig.pid)]);
  let text = '';
  for await (const part of child.stdout) text += part;
  const line = text.split('\n').find((each) => each.includes('control.js'));
  return Number.parseInt(line?.trim() ?? '', 10);
}

t.test('one worker’s end takes its sessions from the list', async (t) => {
  const service = await connect({ connectionString: pgfig.url(), application_name: 'victim' });
  const listed = async (): Promise<Record<string, unknown> | undefined> =>
    (await ask('SHOW CLIENTS')).rows.find(({ service: name }) => name === 'victim');
  const { worker } = (await listed()) ?? {};
  const { pid } = (await ask('SHOW WORKERS')).rows.find(({ slot }) => slot === worker) ?? {};
  process.kill(Number(pid), 'SIGKILL');
  await pgfig.until(async () => {
    const rows = (await ask('SHOW WORKERS').catch(() => null))?.rows ?? [];
    return rows.some(({ slot, restarts, listening }) => slot === worker && restarts === 1 && listening);
  }, 'a new worker');
  t.equal(await listed(), undefined);
  await service.end().catch(() => undefined);
});
