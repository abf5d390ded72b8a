import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { PostgresServer } from '../../src/embedded/postgres-server.js';
import { embeddedPrograms, type Programs, programsIn } from '../../src/embedded/programs.js';
import { onTeardown } from './teardown.js';

export type PostgresVersion = 15 | 18;

export interface PostgresOptions {
  /** Added to the fast settings that every test server has. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The whole of pg_hba.conf; without it everyone on loopback is trusted. */
  readonly hba?: string;
  /** PEM text or paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
  /** 18 (from npm) unless told; 15 needs Debian's package, see hasPostgres. */
  readonly version?: PostgresVersion;
}

export interface TestPostgres {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly dataFolder: string;
  /** postgres://postgres:...@127.0.0.1:PORT/dbname; dbname is `postgres` unless told. */
  url(dbname?: string): string;
  /** Runs SQL (several statements too, when there are no values) on a small pool per database. */
  query<R extends pg.QueryResultRow = pg.QueryResultRow>(
    sql: string,
    dbname?: string,
    values?: readonly unknown[],
  ): Promise<pg.QueryResult<R>>;
  /** Shuts down in good order; the data stay for restart(). */
  stop(): Promise<void>;
  /** Ends it as a crash would: every connection breaks at once. The data stay. */
  kill(): Promise<void>;
  /** Starts it again on the same port, whether it runs or not. */
  restart(): Promise<void>;
  /** Stops it and removes its folder; called by the test's teardown. */
  remove(): Promise<void>;
}

const PASSWORD = 'postgres';
const DEBIAN = '/usr/lib/postgresql/15/bin';
const TRUST = 'host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n';
const FAST = {
  // A crash of the server alone loses nothing without fsync, so commits stay synchronous: tests kill it.
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  shared_buffers: '64MB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  autovacuum: 'off',
};

/** Whether a server of that version can be started here. */
export function hasPostgres(version: PostgresVersion): boolean {
  return version === 18 || existsSync(path.join(DEBIAN, 'postgres'));
}

/**
 * Starts a real PostgreSQL on a free port of 127.0.0.1. It is stopped and removed by the test file's
 * teardown, and by a watchdog should the test be killed.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<TestPostgres> {
  const version = options.version ?? 18;
  if (!hasPostgres(version)) throw new Error(`PostgreSQL ${version} is not installed here`);
  const folder = await mkdtemp(path.join(tmpdir(), 'pgfig-test-'));
  await chmod(folder, 0o755);
  const programs = version === 18 ? await embeddedPrograms(folder) : await programsIn(DEBIAN);
  const tls = options.tls === undefined ? {} : { ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' };
  const ca = options.tls?.ca === undefined ? {} : { ssl_ca_file: 'ca.crt' };
  const server = await PostgresServer.create({
    programs,
    folder,
    port: null,
    password: PASSWORD,
    settings: { ...FAST, ...tls, ...ca, ...options.settings },
    hba: options.hba ?? TRUST,
    template: await templateFor(version, programs),
    keep: false,
  });
  if (options.tls !== undefined) {
    await server.write('server.crt', await pem(options.tls.cert));
    await server.write('server.key', await pem(options.tls.key));
    if (options.tls.ca !== undefined) await server.write('ca.crt', await pem(options.tls.ca));
  }
  await server.start();
  const handle = new Handle(server);
  await onTeardown(() => handle.remove());
  return handle;
}

class Handle implements TestPostgres {
  readonly host = '127.0.0.1';
  readonly user = 'postgres';
  readonly password = PASSWORD;
  readonly #server: PostgresServer;
  readonly #pools = new Map<string, pg.Pool>();

  constructor(server: PostgresServer) {
    this.#server = server;
  }

  get port(): number {
    return this.#server.port;
  }

  get dataFolder(): string {
    return this.#server.dataFolder;
  }

  url(dbname = 'postgres'): string {
    return `postgres://${this.user}:${this.password}@${this.host}:${this.port}/${encodeURIComponent(dbname)}`;
  }

  query<R extends pg.QueryResultRow>(
    sql: string,
    dbname = 'postgres',
    values?: readonly unknown[],
  ): Promise<pg.QueryResult<R>> {
    let pool = this.#pools.get(dbname);
    if (pool === undefined) {
      pool = new pg.Pool({ connectionString: this.url(dbname), max: 2, allowExitOnIdle: true });
      pool.on('error', () => undefined);
      this.#pools.set(dbname, pool);
    }
    return values === undefined ? pool.query<R>(sql) : pool.query<R>(sql, [...values]);
  }

  async stop(): Promise<void> {
    await this.#endPools();
    await this.#server.stop('fast');
  }

  async kill(): Promise<void> {
    await this.#server.stop('immediate');
    await this.#endPools();
  }

  async restart(): Promise<void> {
    await this.#endPools();
    await this.#server.restart();
  }

  async remove(): Promise<void> {
    await this.#endPools();
    await this.#server.remove();
  }

  async #endPools(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.end().catch(() => undefined)));
  }
}

/**
 * A data folder to copy, made once per machine and user: copying takes a tenth of the time of initdb.
 * Test files that start at once each make one, and the first to rename it wins.
 */
async function templateFor(version: PostgresVersion, programs: Programs): Promise<string> {
  const build = version === 18 ? createBuildName(programs) : 'debian';
  const template = path.join(tmpdir(), `pgfig-test-template-${version}-${build}-${process.getuid?.() ?? 0}`);
  if (existsSync(path.join(template, 'data', 'PG_VERSION'))) return path.join(template, 'data');
  const making = await mkdtemp(`${template}.`);
  if (programs.runAs !== null) await chown(making, programs.runAs.uid, programs.runAs.gid);
  await PostgresServer.create({
    programs,
    folder: making,
    port: null,
    password: PASSWORD,
    settings: {},
    hba: null,
    keep: true,
  });
  await rename(making, template).catch(() => rm(making, { recursive: true, force: true }));
  return path.join(template, 'data');
}

/** Another build of the package may have another catalog version. */
function createBuildName(programs: Programs): string {
  return Buffer.from(programs.initdb)
    .reduce((hash, byte) => (hash * 31 + byte) >>> 0, 7)
    .toString(36);
}

async function pem(textOrPath: string): Promise<string> {
  return textOrPath.includes('-----BEGIN') ? textOrPath : readFile(textOrPath, 'utf8');
}
