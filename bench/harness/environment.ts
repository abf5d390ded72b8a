import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PostgresServer } from '../../src/embedded/postgres-server.js';
import { embeddedPrograms } from '../../src/embedded/programs.js';
import type { Backend, Surroundings } from '../targets/target.js';
import { runProgram } from '../workloads/child.js';
import { login, query } from '../workloads/wire-client.js';
import { findProgram } from './programs.js';
import type { Scope } from './scope.js';

export interface Environment {
  readonly backend: Backend;
  readonly pgbench: string;
  around(clients: number): Surroundings;
}

const USER = 'postgres';
const DATABASE = 'bench';
const ORDERS = 'orders';

/**
 * CPU-bound on purpose: the data fit into memory and nothing waits for a disk, so that a run measures the path of the
 * statements and not the storage.
 */
const SETTINGS = {
  shared_buffers: '256MB',
  max_connections: '200',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_wal_size: '4GB',
  autovacuum: 'off',
};

/**
 * One real PostgreSQL with pgbench's tables, and a second database for the routed domain.
 * @throws Error when pgbench is not installed
 */
export async function startEnvironment(scale: number, scope: Scope): Promise<Environment> {
  const pgbench = await findProgram('pgbench');
  if (pgbench === null) throw new Error('pgbench is not installed: it comes with PostgreSQL (Debian: postgresql)');
  const root = await mkdtemp(path.join(tmpdir(), 'pgfig-bench-'));
  scope.defer(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));
  const programs = await embeddedPrograms(root);
  const folder = async (name: string): Promise<string> => {
    const made = path.join(root, name);
    await mkdir(made, { recursive: true });
    if (programs.runAs !== null) await chown(made, programs.runAs.uid, programs.runAs.gid);
    return made;
  };
  if (programs.runAs !== null) await chown(root, programs.runAs.uid, programs.runAs.gid);
  const server = await PostgresServer.create({
    programs,
    folder: await folder('postgres'),
    port: null,
    password: 'not used',
    settings: SETTINGS,
    hba: 'host all all 127.0.0.1/32 trust\n',
    keep: false,
  });
  scope.defer(() => server.remove());
  await server.start();
  await createDatabases(server.port);
  const place = ['-h', '127.0.0.1', '-p', String(server.port), '-U', USER];
  await runProgram(pgbench, ['-i', '-q', '-s', String(scale), ...place, DATABASE], scope.signal);
  const backend = {
    host: '127.0.0.1',
    port: server.port,
    user: USER,
    database: DATABASE,
    real: { port: server.port, user: USER, ordersDatabase: ORDERS },
  };
  return { backend, pgbench, around: (clients) => ({ folder, runAs: programs.runAs, signal: scope.signal, clients }) };
}

async function createDatabases(port: number): Promise<void> {
  await askAll(port, 'postgres', [`CREATE DATABASE ${DATABASE}`, `CREATE DATABASE ${ORDERS}`]);
  await askAll(port, ORDERS, [
    'CREATE TABLE orders (id bigint PRIMARY KEY, customer text NOT NULL)',
    'CREATE TABLE order_items (order_id bigint REFERENCES orders, line int, PRIMARY KEY (order_id, line))',
  ]);
}

async function askAll(port: number, database: string, statements: readonly string[]): Promise<void> {
  const client = await login({ host: '127.0.0.1', port, user: USER, database });
  try {
    for (const statement of statements) await client.ask(query(statement));
  } finally {
    client.end();
  }
}
