/**
 * How fast verify is against the same checksum query, run plainly over the whole table on both sides at once.
 *
 *   npm run build:all && node build/bench/verify/ratio.js [rows]
 */
import pg from 'pg';
import { chooseHash } from '../../src/jobs/verify/row-hash.js';
import { rowText } from '../../src/jobs/verify/row-text.js';
import { TableVerify } from '../../src/jobs/verify/table-verify.js';
import { readShapes } from '../../src/mirror/shape/read-shapes.js';
import { hasPostgres, startPostgres } from '../../test/support/postgres.js';

const ROWS = Number(process.argv[2] ?? 1_000_000);
const STEP_MS = 250;
const ROUNDS = 5;
const TABLE = 'public.orders';

const servers = await Promise.all([startPostgres({ version: hasPostgres(15) ? 15 : 18 }), startPostgres()]);
try {
  const clients = await Promise.all(
    servers.map(async (server) => {
      await server.query(
        `CREATE TABLE orders (id bigint PRIMARY KEY, customer text, total numeric(12,2), at timestamptz,
          status text, items jsonb, note text);
        INSERT INTO orders SELECT g, 'customer ' || g % 1000, g * 1.37, '2026-01-01 00:00+00'::timestamptz + g * interval '1 s',
          (ARRAY['new', 'paid', 'sent'])[1 + g % 3], '{"a": 1}', CASE WHEN g % 3 = 0 THEN NULL ELSE 'x y' END
          FROM generate_series(1, ${ROWS}) g; VACUUM ANALYZE orders`
          .split(';')
          .slice(0, 2)
          .join(';'),
      );
      await server.query('VACUUM ANALYZE orders');
      const client = new pg.Client({ connectionString: server.url() });
      await client.connect();
      await client.query(
        "SET search_path = pg_catalog; SET extra_float_digits = 3; SET TimeZone = 'UTC'; SET jit = off",
      );
      return client;
    }),
  );
  const [source, target] = clients as [pg.Client, pg.Client];
  const [here, there] = await Promise.all(
    clients.map(async (client) => (await readShapes(client, [TABLE])).get(TABLE)),
  );
  if (here === undefined || there === undefined) throw new Error('no table');
  const hash = await chooseHash(source, target);
  const [first, second] = hash.halves('h');
  const plain = `SELECT count(*), sum(${first}), sum(${second})
    FROM (SELECT ${hash.digest(rowText(here.columns))} AS h FROM public.orders t OFFSET 0) r`;

  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await work();
    return performance.now() - began;
  };
  const verifyAll = async (): Promise<void> => {
    const verify = new TableVerify(TABLE, { sample: 100, seed: '', values: false, most: 10 });
    while (!verify.done) {
      await source.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      await target.query('BEGIN');
      verify.took(await verify.step({ source, target }, here, there, STEP_MS));
      await Promise.all(clients.map((client) => client.query('COMMIT')));
    }
    if (verify.state.rows !== ROWS || verify.state.found !== 0) throw new Error(JSON.stringify(verify.state));
  };
  const ratios: number[] = [];
  let most = 0;
  for (let round = 0; round <= ROUNDS; round++) {
    const [query, verify] = [
      await timed(() => Promise.all(clients.map((client) => client.query(plain)))),
      await timed(verifyAll),
    ];
    most = Math.max(most, process.memoryUsage().rss);
    // The first one warms up.
    if (round === 0) continue;
    ratios.push(query / verify);
    console.log(
      `plain ${Math.round(query)} ms, verify ${Math.round(verify)} ms: ${(query / verify).toFixed(2)} of its speed`,
    );
  }
  const median = ratios.toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? 0;
  console.log(
    `${ROWS} rows: ${median.toFixed(2)} of the plain query's speed (median of ${ROUNDS}), ${Math.round(most / 1e6)} MB`,
  );
  await Promise.all(clients.map((client) => client.end()));
} finally {
  await Promise.all(servers.map((server) => server.remove()));
}
