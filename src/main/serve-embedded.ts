import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { openShop, type Shop } from '../embedded/servers.js';
import { PgfigError } from '../errors/pgfig-error.js';
import { serve } from './serve.js';

export interface EmbeddedOptions {
  /** Folder that keeps the data; without one everything is gone at the end. */
  readonly keep?: string;
  /** Port for clients, 6432 unless told. */
  readonly port?: number;
  /** Port of the admin endpoint, 6433 unless told. */
  readonly adminPort?: number;
  readonly trace?: boolean;
}

const HOST = '127.0.0.1';
/** The rules that come with pgfig: at the top of the package, beside build/. */
const RULES = fileURLToPath(new URL('../../../routing-rules', import.meta.url));

/** Ctrl-C while the servers are being made. */
class Interrupted extends Error {}

/**
 * Starts two Postgres servers with a sample shop and the proxy before them, says what to try, and
 * serves until SIGINT or SIGTERM; then nothing is left, neither process nor folder.
 * @throws PgfigError PORT_IN_USE, FILE_UNREADABLE, and what `serve` throws
 */
export async function serveEmbedded(options: EmbeddedOptions): Promise<void> {
  const port = options.port ?? 6432;
  const adminPort = options.adminPort ?? 6433;
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
  };
  // Until `serve` listens to signals itself. Taken off at the very end, so that none of them kills the clean-up.
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  process.on('SIGHUP', interrupt);
  const check = () => {
    if (interrupted) throw new Interrupted();
  };
  try {
    // Said at once, not after the seconds that the servers take.
    await expectFree(port);
    await expectFree(adminPort);
    console.log('Starting two Postgres servers with a sample shop ...');
    const shop = await openShop({ keep: options.keep ?? null, check });
    try {
      check();
      const config = await writeConfig(shop, port, adminPort);
      const onReady = () => console.log(welcome(shop, config, port, adminPort, options.keep));
      await serve({ config, trace: options.trace ?? false, onReady });
    } finally {
      await shop.close();
    }
  } catch (error) {
    // initdb, too, ends with an error on Ctrl-C.
    if (!interrupted) throw error;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    process.off('SIGHUP', interrupt);
  }
}

async function writeConfig(shop: Shop, port: number, adminPort: number): Promise<string> {
  const file = path.join(shop.folder, 'pgfig.yaml');
  const config = {
    listen: { host: HOST, port },
    admin: { host: HOST, port: adminPort },
    databases: { monolith: { url: shop.monolith.url }, orders_db: { url: shop.orders.url } },
    default: 'monolith',
    rules: RULES,
    auth: { method: 'trust' },
    limits: { drainTimeout: '5s' },
  };
  // It holds the servers' password.
  await writeFile(file, `# Written by pgfig serve --embedded\n${stringify(config)}`, { mode: 0o600 });
  return file;
}

async function expectFree(port: number): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (cause: NodeJS.ErrnoException) => {
      const what = cause.code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${cause.code})`;
      reject(new PgfigError('PORT_IN_USE', `port ${port} on ${HOST} ${what}`, { cause }));
    });
    probe.listen(port, HOST, resolve);
  });
  await new Promise((resolve) => probe.close(resolve));
}

function welcome(shop: Shop, config: string, port: number, adminPort: number, keep: string | undefined): string {
  const url = `postgres://shop@${HOST}:${port}/shop`;
  const asked = "current_setting('port') AS answered_by";
  return `
pgfig is ready. Services connect to it as if it were the one database of the shop:

  ${url}

Behind it are two servers (to look at them directly):

  monolith   ${shop.monolith.url}
  orders_db  ${shop.orders.url}

Three things to try in another terminal:

  1. Users live in the monolith (answered_by is ${shop.monolith.port}):
     psql ${url} -c "SELECT count(*), ${asked} FROM users"

  2. Orders have moved to orders_db (answered_by is ${shop.orders.port}), and the service need not know:
     psql ${url} -c "SELECT count(*), ${asked} FROM orders"

  3. No database has both; ask why, without sending anything:
     npx pgfig explain --config ${config} "SELECT u.name, o.total FROM users u JOIN orders o ON o.user_id = u.id"

Rules:  ${RULES} (edit them while it runs; npx pgfig reload --config ${config} tells what came of it)
Admin:  http://${HOST}:${adminPort}/api/status, /metrics, /healthz, /readyz
Data:   ${keep === undefined ? 'gone when pgfig stops (--keep DIR keeps them)' : `kept in ${shop.folder}`}

Ctrl-C stops everything.
`;
}
