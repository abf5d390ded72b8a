import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import t from 'tap';
import { hasPostgres, startPostgres } from '../support/postgres.js';

t.test('a server answers, crashes, and comes back on its port with its data', async (t) => {
  const server = await startPostgres({ settings: { work_mem: '5MB' } });
  t.equal((await server.query('SHOW work_mem')).rows[0]?.work_mem, '5MB');
  await server.query('CREATE TABLE kept (a int); INSERT INTO kept VALUES (7); CHECKPOINT');
  const { port } = server;

  const client = new pg.Client(server.url());
  await client.connect();
  const broken = new Promise<Error>((resolve) => client.once('error', resolve));
  await server.kill();
  t.ok(await broken, 'an open connection breaks');
  await t.rejects(server.query('SELECT 1'), { code: 'ECONNREFUSED' });

  await server.restart();
  t.equal(server.port, port);
  t.strictSame((await server.query('SELECT a FROM kept')).rows, [{ a: 7 }]);
  await server.remove();
  t.notOk(existsSync(server.dataFolder));
});

t.test('pg_hba.conf is the one that was given', async (t) => {
  const server = await startPostgres({ hba: 'host all all 127.0.0.1/32 scram-sha-256\n' });
  t.equal((await server.query('SELECT 1 AS one')).rows[0]?.one, 1);
  const client = new pg.Client({ host: server.host, port: server.port, user: 'postgres', password: 'wrong' });
  await t.rejects(client.connect(), { code: '28P01' });
  await server.remove();
});

t.test('version 15 from the system', { skip: hasPostgres(15) ? false : 'not installed' }, async (t) => {
  const server = await startPostgres({ version: 15 });
  t.match((await server.query('SHOW server_version')).rows[0]?.server_version, /^15\./);
  await server.remove();
});

t.test('a test that is killed leaves no server and no folder', async (t) => {
  const support = new URL('../support/postgres.js', import.meta.url).href;
  const script = `
    const { startPostgres } = await import(${JSON.stringify(support)});
    const server = await startPostgres();
    console.log(JSON.stringify([server.port, server.dataFolder]));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve) => child.stdout.once('data', (data) => resolve(String(data))));
  const [port, dataFolder] = JSON.parse(line) as [number, string];
  child.kill('SIGKILL');
  while (existsSync(path.dirname(dataFolder))) await new Promise((resolve) => setTimeout(resolve, 20));
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
  await t.rejects(client.connect(), { code: 'ECONNREFUSED' });
});
