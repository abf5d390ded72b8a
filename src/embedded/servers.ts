import { randomBytes } from 'node:crypto';
import { access, chmod, constants, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PgfigError } from '../errors/pgfig-error.js';
import { PostgresServer } from './postgres-server.js';
import { embeddedPrograms, othersMayReach } from './programs.js';
import { loadMonolith, loadOrders, SHOP_USER } from './shop/load.js';

export interface ShopOptions {
  /** Folder that keeps the data from one run to the next; null: a temporary one. */
  readonly keep: string | null;
  /** Asked between steps: end early, throwing what it throws. */
  readonly check: () => void;
}

/** The two servers of `pgfig serve --embedded`, with the sample shop in them. */
export interface Shop {
  /** For pgfig.yaml and whatever else belongs to this run. */
  readonly folder: string;
  readonly monolith: { readonly port: number; readonly url: string };
  readonly orders: { readonly port: number; readonly url: string };
  /** Stops both servers and removes the folder, unless it is kept. */
  close(): Promise<void>;
}

const SETTINGS = { shared_buffers: '64MB', max_connections: '200' };

/** @throws PgfigError PORT_IN_USE or FILE_UNREADABLE when a server cannot be made; then nothing is left behind */
export async function openShop(options: ShopOptions): Promise<Shop> {
  const folder = await openFolder(options.keep);
  const servers: PostgresServer[] = [];
  const close = async () => {
    await Promise.all(servers.map((server) => server.remove()));
    if (options.keep === null) await rm(folder, { recursive: true, force: true });
  };
  try {
    const password = await passwordOf(folder);
    const programs = await embeddedPrograms(folder);
    const start = async (name: string): Promise<PostgresServer> => {
      const server = await PostgresServer.create({
        programs,
        folder: path.join(folder, name),
        port: null,
        password,
        settings: SETTINGS,
        hba: null,
        keep: options.keep !== null,
        removeOnDeath: folder,
      });
      servers.push(server);
      options.check();
      await server.start();
      options.check();
      return server;
    };
    const [monolith, orders] = await settled(start('monolith'), start('orders_db'));
    await settled(loadMonolith({ port: monolith.port, password }), loadOrders({ port: orders.port, password }));
    options.check();
    const url = (port: number, dbname: string) => `postgres://${SHOP_USER}:${password}@127.0.0.1:${port}/${dbname}`;
    return {
      folder,
      monolith: { port: monolith.port, url: url(monolith.port, 'shop') },
      orders: { port: orders.port, url: url(orders.port, 'orders') },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openFolder(keep: string | null): Promise<string> {
  if (keep === null) {
    const folder = await mkdtemp(path.join(tmpdir(), 'pgfig-embedded-'));
    // The servers may run as another user, who must be able to pass through.
    await chmod(folder, 0o755);
    return folder;
  }
  const folder = path.resolve(keep);
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new PgfigError('FILE_UNREADABLE', `${folder} cannot be written`, { cause });
  }
  if (process.getuid?.() === 0 && !(await othersMayReach(folder))) {
    throw new PgfigError(
      'FILE_UNREADABLE',
      `${folder} cannot be reached by the user postgres, as whom the servers run when pgfig is started by root`,
    );
  }
  return folder;
}

/** The password of both servers: random, and kept beside data that are kept. */
async function passwordOf(folder: string): Promise<string> {
  const file = path.join(folder, 'password');
  const kept = await readFile(file, 'utf8').catch(() => '');
  if (kept.trim() !== '') return kept.trim();
  const password = randomBytes(9).toString('hex');
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return password;
}

/** Both, or the first error once neither runs any more: what still runs must not be closed under its feet. */
async function settled<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return Promise.all([a, b]);
}
