import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../src/embedded/postgres-server.js';
import { startDaemon } from '../harness/daemon.js';
import type { Backend, Running, Surroundings, Target } from './target.js';

const PROGRAM = fileURLToPath(new URL('../../src/main/pgfig.js', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../../../package.json', import.meta.url));

/**
 * pgfig as it runs in earnest: every statement is read, routed and counted, and a second database holds a domain whose
 * tables the workloads do not touch.
 */
export const pgfig: Target = {
  name: 'pgfig',
  what: 'pgfig, 2 workers, routing and counting on, two databases',
  version,
  start: (backend, around) => start('pgfig', '', backend, around),
};

/** The same without the matrix: what counting costs. */
export const pgfigUncounted: Target = {
  name: 'pgfig-uncounted',
  what: 'pgfig as above, with matrix.enabled: false',
  onRequest: true,
  version,
  start: (backend, around) => start('pgfig-uncounted', 'matrix: { enabled: false }\n', backend, around),
};

async function version(): Promise<string | null> {
  const built = await stat(PROGRAM).catch(() => null);
  if (built === null) return null;
  return String((JSON.parse(await readFile(PACKAGE, 'utf8')) as { version: unknown }).version);
}

async function start(name: string, more: string, backend: Backend, around: Surroundings): Promise<Running> {
  const folder = await around.folder(name);
  const port = await freePort();
  const file = path.join(folder, 'pgfig.yaml');
  await mkdir(path.join(folder, 'routing-rules'), { recursive: true });
  await writeFile(path.join(folder, 'routing-rules', 'orders.yaml'), RULE);
  await writeFile(file, configuration(backend, port, await freePort()) + more);
  const daemon = await startDaemon({
    name,
    program: process.execPath,
    args: [PROGRAM, 'serve', '--config', file],
    folder,
    runAs: null,
    signal: around.signal,
    stopSignal: 'SIGTERM',
    port,
    login: { user: backend.user, database: backend.database },
  });
  return { host: '127.0.0.1', port, ...daemon };
}

const configuration = (backend: Backend, port: number, adminPort: number): string => `
listen: { host: 127.0.0.1, port: ${port}, workers: 2 }
admin: { host: 127.0.0.1, port: ${adminPort} }
databases:
  monolith: { url: "postgres://${backend.host}:${backend.port}/${backend.database}" }
  orders_db: { url: "postgres://${backend.host}:${backend.real.port}/${backend.real.ordersDatabase}" }
default: monolith
rules: routing-rules
auth: { method: trust }
control: { url: "postgres://${backend.real.user}@${backend.host}:${backend.real.port}/${backend.database}" }
log: { level: warn }
`;

const RULE = `domain: orders
database: orders_db
tables: [public.orders, public.order_items]
owner: order-service
phase: write-new
`;
