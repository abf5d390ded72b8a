import { spawn } from 'node:child_process';
import t from 'tap';
import { until } from '../clients/conditions.js';
import { CrashFiles } from '../faults/crash-files.js';
import { PGFIG, startPgfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';

const [source, target] = await Promise.all([startPostgres(), startPostgres()]);
await Promise.all([source.query('CREATE DATABASE shop'), target.query('CREATE DATABASE new_shop')]);
await source.query('CREATE TABLE a (id int PRIMARY KEY)', 'shop');
await target.query('CREATE TABLE a (id int PRIMARY KEY)', 'new_shop');
// More than a chunk.
await source.query('INSERT INTO a SELECT generate_series(1, 8000)', 'shop');
const crashes = await CrashFiles.create();
const pgfig = await startPgfig({
  databases: { monolith: source.url('shop'), new_shop: target.url('new_shop') },
  rules: { shop: { database: 'new_shop', tables: ['public.a'], phase: 'dual-write' } },
  env: crashes.env,
});

t.test('a backfill goes on whose runner died after its first chunk and before its first beat', async (t) => {
  const captured = 'SELECT FROM pgfig.relay_tables';
  const installed = async (): Promise<boolean> =>
    (await target.query(captured, 'new_shop').catch(() => null))?.rowCount === 1;
  await until('the table is captured', installed, 60_000);
  await crashes.arm('backfill-chunk', { nth: 2 });
  const child = spawn(process.execPath, [PGFIG, 'backfill', 'shop', '--config', pgfig.configFile]);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      said += data.toString();
    });
  }
  const code = await new Promise((resolve) => child.once('close', resolve));
  t.notOk(crashes.waiting('backfill-chunk'), 'the runner died');
  t.equal(code, 0, said);
  t.equal((await target.query('SELECT FROM a', 'new_shop')).rowCount, 8_000);
});
