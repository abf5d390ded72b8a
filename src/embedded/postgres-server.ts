import { type ChildProcess, spawn } from 'node:child_process';
import { chown, mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { PgfigError } from '../errors/pgfig-error.js';
import type { Programs } from './programs.js';
import { startWatchdog, type Watchdog } from './watchdog.js';

export interface ServerOptions {
  readonly programs: Programs;
  /** Absolute path, made when missing; holds `data` and `server.log`. */
  readonly folder: string;
  /** Null: a free one is picked, and another when someone is quicker. */
  readonly port: number | null;
  readonly password: string;
  readonly settings: Readonly<Record<string, string>>;
  /** The whole of pg_hba.conf; null: what initdb writes. */
  readonly hba: string | null;
  /** A data folder made by initdb to copy instead of running initdb. */
  readonly template?: string;
  /** Keep the folder when the server is removed or this process dies. */
  readonly keep: boolean;
  /** What to remove instead of `folder` when this process dies. */
  readonly removeOnDeath?: string;
}

/** How PostgreSQL ends: SIGINT breaks sessions off and shuts down well; SIGQUIT is a crash with recovery at next start. */
export type StopMode = 'fast' | 'immediate';

const START_TRIES = 5;
const START_DEADLINE = 60_000;

/** One PostgreSQL server on 127.0.0.1 that belongs to this process and does not outlive it. */
export class PostgresServer {
  readonly #options: ServerOptions;
  #port: number;
  #child: ChildProcess | null = null;
  #watchdog: Watchdog | null = null;

  /** Makes the data folder if there is none yet; does not start the server. */
  static async create(options: ServerOptions): Promise<PostgresServer> {
    const server = new PostgresServer(options);
    await mkdir(options.folder, { recursive: true });
    const runAs = options.programs.runAs;
    if (runAs !== null) await chown(options.folder, runAs.uid, runAs.gid);
    if (!(await exists(path.join(server.dataFolder, 'PG_VERSION')))) await server.#initialise();
    if (options.hba !== null) await server.write('pg_hba.conf', options.hba);
    return server;
  }

  private constructor(options: ServerOptions) {
    this.#options = options;
    this.#port = options.port ?? 0;
  }

  get dataFolder(): string {
    return path.join(this.#options.folder, 'data');
  }

  get port(): number {
    return this.#port;
  }

  get running(): boolean {
    return this.#child !== null;
  }

  /** Writes a file into the data folder that only the server's user may read. */
  async write(name: string, content: string): Promise<void> {
    const file = path.join(this.dataFolder, name);
    await writeFile(file, content, { mode: 0o600 });
    const runAs = this.#options.programs.runAs;
    if (runAs !== null) await chown(file, runAs.uid, runAs.gid);
  }

  /**
   * Returns when the server takes connections.
   * @throws PgfigError PORT_IN_USE, or FILE_UNREADABLE with the last lines of the server's log
   */
  async start(): Promise<void> {
    for (let left = START_TRIES; this.#child === null; left--) {
      if (this.#port === 0) this.#port = await freePort();
      const failure = await this.#startOnce();
      if (failure === null) return;
      const busy = /could not bind|Address already in use/.test(failure);
      if (!busy) throw new PgfigError('FILE_UNREADABLE', `PostgreSQL does not start: ${failure}`);
      if (left <= 1) throw new PgfigError('PORT_IN_USE', `port ${this.#port} on 127.0.0.1 is in use`);
      if (this.#options.port === null) this.#port = 0;
      else await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** Stops the server; its data stay. */
  async stop(mode: StopMode = 'fast'): Promise<void> {
    const child = this.#child;
    if (child !== null) {
      child.ref();
      const ended = exitOf(child);
      child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
      await ended;
      this.#child = null;
    }
    await this.#watchdog?.dismiss();
    this.#watchdog = null;
  }

  /** Starts it again on the same port, after stop(). */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Stops the server and removes its folder, unless it is to be kept. */
  async remove(): Promise<void> {
    await this.stop(this.#options.keep ? 'fast' : 'immediate');
    if (!this.#options.keep) await rm(this.#options.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #initialise(): Promise<void> {
    const { programs, template, folder, password } = this.#options;
    if (template !== undefined) return this.#run('cp', ['-R', template, this.dataFolder]);
    const passwordFile = path.join(folder, 'password');
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    if (programs.runAs !== null) await chown(passwordFile, programs.runAs.uid, programs.runAs.gid);
    try {
      // The C locale is the one that exists everywhere, and sorts alike everywhere.
      const flags = ['--username=postgres', '--encoding=UTF8', '--no-locale', '--auth=scram-sha-256', '--no-sync'];
      await this.#run(programs.initdb, ['-D', this.dataFolder, `--pwfile=${passwordFile}`, ...flags]);
    } finally {
      await rm(passwordFile, { force: true });
    }
  }

  async #run(program: string, args: readonly string[]): Promise<void> {
    const { programs, folder } = this.#options;
    const child = spawn(program, args, { ...programs.runAs, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    const code = await exitOf(child);
    if (code !== 0) {
      await rm(this.dataFolder, { recursive: true, force: true });
      throw new PgfigError('FILE_UNREADABLE', `${path.basename(program)} failed: ${complaint.trim()}`);
    }
  }

  /** Null when it runs, otherwise why it does not. */
  async #startOnce(): Promise<string | null> {
    const { programs, settings, folder, keep, removeOnDeath } = this.#options;
    const given = { listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings };
    const flags = Object.entries(given).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    // A file, not a pipe: nobody has to read it, and it is still there to say why the start failed.
    const log = await open(path.join(folder, 'server.log'), 'w');
    // A session of its own: Ctrl-C in the terminal must reach the proxy first, so that it can drain.
    const child = spawn(programs.postgres, ['-D', this.dataFolder, '-p', String(this.#port), ...flags], {
      ...programs.runAs,
      cwd: folder,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    const ended = exitOf(child).then(() => true);
    this.#watchdog ??= startWatchdog(this.dataFolder, keep ? null : (removeOnDeath ?? folder));
    await log.close();
    const deadline = Date.now() + START_DEADLINE;
    while (!(await this.#ready(child.pid))) {
      const tick = new Promise<false>((resolve) => setTimeout(() => resolve(false), 20));
      if ((await Promise.race([ended, tick])) || Date.now() > deadline) {
        child.kill('SIGQUIT');
        await ended;
        return lastLines(await readFile(path.join(folder, 'server.log'), 'utf8'));
      }
    }
    child.unref();
    child.once('exit', () => {
      if (this.#child === child) this.#child = null;
    });
    this.#child = child;
    return null;
  }

  /** The postmaster writes its state into line 8 of its pid file (src/include/utils/pidfile.h). */
  async #ready(pid: number | undefined): Promise<boolean> {
    const lines = (await readFile(path.join(this.dataFolder, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
    return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
  }
}

/** A port that nobody listens on now; someone else may be quicker to take it. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new PgfigError('PORT_IN_USE', 'no free port');
  return address.port;
}

function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.once('error', () => resolve(null));
  });
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-4).join(' | ');
}
