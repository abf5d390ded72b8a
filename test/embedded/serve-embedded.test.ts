import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import t from 'tap';
import { freePort } from '../../src/embedded/postgres-server.js';
import { serveEmbedded } from '../../src/main/serve-embedded.js';
import { guard } from '../support/guard.js';
import { PGFIG } from '../support/pgfig.js';

const PROGRAM = new URL('../../src/main/serve-embedded.js', import.meta.url).href;

/** A temporary folder of its own, so that what is left behind can be seen. */
const folder = await mkdtemp(path.join(tmpdir(), 'pgfig-test-'));
await chmod(folder, 0o755);
t.teardown(() => rm(folder, { recursive: true, force: true }));
const temporary = path.join(folder, 'tmp');
await mkdir(temporary);
await chmod(temporary, 0o755);

interface Embedded {
  readonly child: ChildProcess;
  readonly exit: Promise<number | string | null>;
  /** Resolves with the output so far once it contains the text. */
  says(text: string): Promise<string>;
}

// A file, not `node -e`: the proxy's own processes inherit node's options.
const script = path.join(folder, 'start.mjs');
await writeFile(script, `await (await import(${JSON.stringify(PROGRAM)})).serveEmbedded(JSON.parse(process.argv[2]))`);

function start(options: { port: number; adminPort: number; keep?: string }): Embedded {
  const child = spawn(process.execPath, [script, JSON.stringify(options)], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  guard(child);
  t.teardown(() => child.kill('SIGTERM'));
  let output = '';
  const exit = new Promise<number | string | null>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  const keep = (data: Buffer) => {
    output += String(data);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const says = async (text: string): Promise<string> => {
    let ended = false;
    void exit.then(() => {
      ended = true;
    });
    while (!output.includes(text)) {
      if (ended) throw new Error(`ended without saying "${text}":\n${output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return output;
  };
  return { child, exit, says };
}

async function ask(port: number, sql: string): Promise<Record<string, unknown>> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'shop', database: 'shop' });
  await client.connect();
  try {
    return (await client.query(sql)).rows[0] ?? {};
  } finally {
    await client.end();
  }
}

t.test('the shop answers from two servers, and Ctrl-C leaves nothing behind', async (t) => {
  const [port, adminPort] = [await freePort(), await freePort()];
  const embedded = start({ port, adminPort });
  const output = await embedded.says('Ctrl-C stops everything');
  const portOf = (name: string) => Number(new RegExp(`${name} +postgres://.*:(\\d+)/`).exec(output)?.[1]);

  t.match(await ask(port, `SELECT count(*)::int, current_setting('port')::int AS port FROM users`), {
    count: 500,
    port: portOf('monolith'),
  });
  t.match(await ask(port, `SELECT count(*)::int, current_setting('port')::int AS port FROM orders`), {
    count: 2100,
    port: portOf('orders_db'),
  });
  t.match(await ask(port, `SELECT rating FROM product_ratings WHERE sku = 'P-0001'`), { rating: '4.00' });
  t.match(await ask(port, `SELECT restock('P-0001', 0) IS NOT NULL AS done`), { done: true });
  await t.rejects(ask(port, 'SELECT 1 FROM users u JOIN orders o ON o.user_id = u.id'), { code: '0A000' });
  t.equal((await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status, 200);

  await ask(port, 'UPDATE order_items SET quantity = 3, price = 2 WHERE order_id = 1');
  t.match(
    await ask(
      port,
      'SELECT total = 6 * count(*) AS added_up FROM orders JOIN order_items ON order_id = id WHERE id = 1 GROUP BY id',
    ),
    {
      added_up: true,
    },
  );

  await t.test('a domain can be mirrored', async (t) => {
    const config = /--config (\S+pgfig\.yaml)/.exec(output)?.[1] ?? '';
    const own = path.join(folder, 'own.yaml');
    await mkdir(path.join(folder, 'rules'));
    await writeFile(own, (await readFile(config, 'utf8')).replace(/^rules: .*$/m, 'rules: rules'));
    const rule = 'domain: shipping\ndatabase: orders_db\ntables: [public.carriers]\nphase: dual-write\n';
    await writeFile(path.join(folder, 'rules', 'shipping.yaml'), rule);
    const orders = new pg.Client(/orders_db +(postgres:\S+)/.exec(output)?.[1]);
    await orders.connect();
    await orders.query('CREATE TABLE carriers (id int PRIMARY KEY, name text NOT NULL UNIQUE)');
    await orders.end();
    const pgfig = (...args: string[]): Promise<{ stdout: string }> =>
      promisify(execFile)(process.execPath, [PGFIG, ...args, 'shipping', '-c', own]);
    t.match((await pgfig('mirror', 'install')).stdout, /1 tables made or mended/);
    await t.rejects(pgfig('relay', 'status'), {
      code: 1,
      stdout: /relay: runs nowhere[\s\S]*public\.carriers +new +0 +not copied yet: pgfig backfill shipping/,
    });
  });

  embedded.child.kill('SIGINT');
  t.equal(await embedded.exit, 0);
  t.strictSame(await readdir(temporary), [], 'no folder is left');
  for (const each of [port, adminPort, portOf('monolith'), portOf('orders_db')]) {
    await t.rejects(ask(each, 'SELECT 1'), { code: 'ECONNREFUSED' }, 'no process is left');
  }
});

t.test('--keep keeps the data, and SIGTERM ends it as Ctrl-C does', async (t) => {
  const keep = path.join(temporary, 'kept');
  for (const [run, count] of [
    [1, 2101],
    [2, 2102],
  ]) {
    const [port, adminPort] = [await freePort(), await freePort()];
    const embedded = start({ port, adminPort, keep });
    await embedded.says('Ctrl-C stops everything');
    await ask(port, 'INSERT INTO orders (user_id) VALUES (1)');
    t.match(await ask(port, 'SELECT count(*)::int FROM orders'), { count }, `run ${run}`);
    embedded.child.kill('SIGTERM');
    t.equal(await embedded.exit, 0);
  }
  t.strictSame(await readdir(temporary), ['kept']);
  await rm(keep, { recursive: true });
});

t.test('a signal while the servers are being made', async (t) => {
  const embedded = start({ port: await freePort(), adminPort: await freePort() });
  await embedded.says('Starting two Postgres servers');
  embedded.child.kill('SIGINT');
  t.equal(await embedded.exit, 0);
  t.strictSame(await readdir(temporary), []);
});

t.test('killed hard, its servers still go, and their folder', async (t) => {
  const embedded = start({ port: await freePort(), adminPort: await freePort() });
  const output = await embedded.says('Ctrl-C stops everything');
  embedded.child.kill('SIGKILL');
  while ((await readdir(temporary)).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const port = Number(/monolith +postgres:\/\/.*:(\d+)\//.exec(output)?.[1]);
  await t.rejects(ask(port, 'SELECT 1'), { code: 'ECONNREFUSED' });
});

t.test('a busy port is said in one clear line', async (t) => {
  const busy = createServer();
  await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => busy.close());
  const address = busy.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const message = `port ${port} on 127.0.0.1 is in use`;
  await t.rejects(serveEmbedded({ port, adminPort: await freePort() }), { code: 'PORT_IN_USE', message });
  await t.rejects(serveEmbedded({ port: await freePort(), adminPort: port }), { code: 'PORT_IN_USE', message });
});
