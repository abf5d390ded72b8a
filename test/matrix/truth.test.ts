import pg from 'pg';
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { storedMatrix } from '../../src/operator/matrix/stored-matrix.js';
import { startPgfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';
import { flush } from './flush.js';
import { linesOf, Truth, truthLines } from './truth.js';
import { run, SERVICES, SHOP } from './workload.js';

const SEED = Number(process.env.PGFIG_SEED ?? 4);
const WORKS = 60;

const server = await startPostgres();
await server.query(SHOP);

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
  await pgfig.stop();
});
