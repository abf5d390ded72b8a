import t from 'tap';
import { connect } from '../session/two-databases.js';
import { startPgfig } from '../support/pgfig.js';
import { hasPostgres, startPostgres } from '../support/postgres.js';
import { pgfig as run } from './cli-run.js';

interface Sight {
  readonly database: string;
  readonly untold: string | null;
  readonly sessions: readonly Record<string, unknown>[];
}

// The older one does not tell when a table was last scanned.
const server = await startPostgres({
  version: hasPostgres(15) ? 15 : 18,
  settings: { track_activity_query_size: '200' },
});
await server.query('CREATE DATABASE side');
await server.query('CREATE TABLE kept (id int); CREATE TABLE away (id int)');
await server.query('CREATE TABLE away (id int)', 'side');
// Connections that have made the tables are sessions that touch them.
await server.restart();
const rules = { moving: { database: 'side', tables: ['public.away'], phase: 'monolith' } };
const databases = { monolith: server.url(), side: server.url('side') };
const pgfig = await startPgfig({ databases, rules });

async function sightsOf(...args: string[]): Promise<readonly Sight[]> {
  const { stdout, stderr } = await run(['audit', ...args, '--json']);
  t.equal(stderr, '');
  return (JSON.parse(stdout) as { sessions: readonly Sight[] }).sessions;
}

t.test('a session that is passed through is known, and what it does is not counted', async (t) => {
  const passed = await connect(pgfig.url('side'), { application_name: 'passed' });
  await passed.query('SELECT * FROM away');
  const sights = await sightsOf('away', '-c', pgfig.configFile);
  const sessions = sights.find(({ database }) => database === 'side')?.sessions ?? [];
  t.match(
    sessions.find(({ application }) => application === 'passed'),
    { passedThrough: true, doing: 'touches', text: 'SELECT * FROM away' },
  );
  const { stdout, code } = await run(['audit', 'away', '-c', pgfig.configFile]);
  t.equal(code, 1);
  t.match(stdout, /passed through pgfig, not routed: touches it/);
  await passed.end();
});

t.test('a text that the server has cut still names the table', async (t) => {
  const many = (table: string): string => `SELECT id FROM ${table} WHERE id IN (${'1, '.repeat(100)}2)`;
  const texts = new Map([
    ['named', many('kept')],
    ['other', many('away')],
    ['parsed', `SELECT id FROM kept WHERE ${'id = 1 OR '.repeat(30)} id = 2`],
    ['alike', `SELECT id FROM away WHERE ${'id = 1 OR '.repeat(30)} id = 2`],
    ['whole', 'SELECT id FROM away'],
  ]);
  const clients = await Promise.all([...texts.keys()].map((name) => connect(server.url(), { application_name: name })));
  await Promise.all([...texts.values()].map((text, at) => clients[at]?.query(text)));
  const [sight] = await sightsOf('kept', '-c', pgfig.configFile);
  const doing = (name: string): unknown => sight?.sessions.find(({ application }) => application === name)?.doing;
  t.same(
    [...texts.keys()].map((name) => [name, doing(name)]),
    [
      ['named', 'may touch'],
      ['other', 'not seen'],
      ['parsed', 'touches'],
      ['alike', 'not seen'],
      ['whole', 'other tables'],
    ],
  );
  await Promise.all(clients.map((client) => client.end()));
});

t.test('what the user of pgfig may not see is said to be hidden, with what to grant', async (t) => {
  await server.query('CREATE ROLE watcher LOGIN');
  const admin = ['--admin', `http://127.0.0.1:${pgfig.adminPort}`];
  const url = server.url().replace(/\/\/[^@]*@/, '//watcher@');
  const limited = await startPgfig({ databases: { monolith: url }, config: { matrix: { enabled: false } } });
  await server.query('GRANT USAGE ON SCHEMA pgfig TO watcher');
  await server.query('GRANT SELECT ON ALL TABLES IN SCHEMA pgfig TO watcher');
  const client = await connect(server.url(), { application_name: 'secretive' });
  await client.query('SELECT * FROM kept');
  const args = ['audit', 'kept', '-c', limited.configFile, ...admin];
  const { code, stdout } = await run(args);
  t.match(stdout, /secretive, from local, state hidden: hidden from this user/);
  t.match(stdout, /grant pg_read_all_stats to the user that pgfig logs in with/);
  t.equal(code, 0);
  await server.query('GRANT pg_read_all_stats TO watcher');
  const granted = await run(args);
  t.match(granted.stdout, /secretive, from 127\.0\.0\.1, idle since [-0-9: ]+: touches it/);
  t.equal(granted.code, 1);
  const own = await run(['audit', 'kept', '-c', limited.configFile]);
  t.match(own.stdout, /note: the pgfig at [\d.:]+ does not store its matrix: matrix\.enabled is false/);
  await client.end();
});
