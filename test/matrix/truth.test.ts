import { readdir } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import t from 'tap';
import { readCatalog } from '../../src/backend/catalog.js';
import { loadConfig } from '../../src/config/load.js';
import { discoverLogs } from '../../src/discovery/from-logs.js';
import { propose } from '../../src/discovery/propose.js';
import { serviceByName } from '../../src/discovery/recorder.js';
import { staticGraph } from '../../src/discovery/static-graph.js';
import { storedMatrix } from '../../src/operator/matrix/stored-matrix.js';
import { loadParser } from '../../src/sql/parser.js';
import { startPgfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';
import { flush } from './flush.js';
import { linesOf, Truth, truthLines } from './truth.js';
import { run, SERVICES, SHOP } from './workload.js';

const SEED = Number(process.env.PGFIG_SEED ?? 4);
const WORKS = 60;

const server = await startPostgres({
  settings: { logging_collector: 'on', log_destination: 'csvlog,jsonlog', log_directory: 'log', log_rotation_age: '0' },
});
await server.query(SHOP);
// From here on the server tells of each statement, too.
await server.query('ALTER SYSTEM SET log_min_duration_statement = 0');
await server.query('SELECT pg_reload_conf()');

t.test('twelve services on two workers: the matrix is what they did, to the last statement', async (t) => {
  t.comment(`seed ${SEED}`);
  const pgfig = await startPgfig({
    databases: { monolith: server.url() },
    config: { listen: { workers: 2 }, matrix: { flushInterval: '1s' } },
  });
  const truth = new Truth('monolith');
  await Promise.all(
    Object.keys(SERVICES).flatMap((service, at) =>
      // Two connections each, which the workers share between them.
      [0, 1].map(async (which) => {
        const client = new pg.Client({
          connectionString: pgfig.url(),
          application_name: which === 0 ? service : 'starting',
        });
        await client.connect();
        // A service may also say later who it is.
        if (which === 1) await client.query(`SET application_name = '${service}'`);
        await run(client, { service, seed: SEED + at * 2 + which, works: WORKS, truth });
        await client.end();
      }),
    ),
  );
  const status = (await (await fetch(`http://127.0.0.1:${pgfig.adminPort}/metrics`)).text()).split('\n');
  t.ok(
    status.some((line) => /^pgfig_matrix_pending /.test(line)),
    'there are metrics of it',
  );
  await flush(pgfig);
  const stored = await storedMatrix(loadConfig(pgfig.configFile));
  t.same(linesOf(stored), truthLines(truth));
  for (const { example } of stored.cells) {
    t.notMatch(example, /secret-|new-\d|@example|sku-\d|phone/, 'no data of users is stored');
  }
  t.ok(stored.cells.some(({ example }) => example === 'SELECT * FROM users WHERE id = $1'));
  t.ok(stored.cells.every(({ first, last }) => first <= last && last <= Date.now()));

  const fromLog = async (kind: string): Promise<string[]> => {
    const folder = path.join(server.dataFolder, 'log');
    const files = (await readdir(folder)).filter((name) => name.endsWith(kind)).sort();
    const config = loadConfig(pgfig.configFile);
    const { matrix } = await discoverLogs({
      files: files.map((name) => path.join(folder, name)),
      linePrefix: null,
      lines: 'statements',
      dbname: 'postgres',
      database: 'monolith',
      parser: await loadParser(),
      cache: config.cache,
      catalog: await readCatalog(config),
      serviceOf: serviceByName,
    });
    const ours = ({ service }: { readonly service: string }): boolean => service in SERVICES;
    return linesOf({ cells: matrix.cells.filter(ours), pairs: matrix.pairs.filter(ours) }, false);
  };
  t.same(await fromLog('.csv'), truthLines(truth, false), 'csvlog tells the same, but for rows');
  t.same(await fromLog('.json'), truthLines(truth, false), 'and jsonlog');
  t.ok(truthLines(truth).length > 70, 'which is a lot to agree on');
  const graph = staticGraph(await readCatalog(loadConfig(pgfig.configFile)), 'monolith');
  const facts = { source: 'traffic', since: 0, until: Date.now(), domains: new Map(), notes: [] };
  const { contexts } = propose({ ...facts, matrix: stored, graph });
  t.same(contexts.map(({ tables }) => tables.join(' ').replaceAll('public.', '')).sort(), [
    'archive.orders order_items orders payments',
    'carriers shipment_events shipments',
    'inventory products reviews',
    'sessions users',
  ]);
  await pgfig.stop();
});
