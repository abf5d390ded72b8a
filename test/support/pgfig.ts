import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { freePort } from '../../src/embedded/postgres-server.js';
import { guard } from './guard.js';
import { onTeardown } from './teardown.js';

export interface PgfigOptions {
  /** name -> url; the first is the default database unless `config.default` says otherwise. */
  readonly databases: Readonly<Record<string, string>>;
  /** domain -> the keys of its rule file (`domain` itself is filled in). */
  readonly rules?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Merged over the test's pgfig.yaml, key by key. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** More arguments for `pgfig serve`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface TestPgfig {
  readonly host: string;
  readonly port: number;
  readonly adminPort: number;
  /** Pid of the primary process. */
  readonly pid: number;
  /** Folder of pgfig.yaml, with `routing-rules` in it. */
  readonly folder: string;
  readonly configFile: string;
  /** A url of the proxy; dbname is the default database's unless told. */
  url(dbname?: string): string;
  /** What it has written to stdout and stderr so far. */
  logs(): string;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL to the primary; resolves when its other processes have gone too, which sleepers do once they are waked. */
  kill(): Promise<void>;
  /** SIGCONT to all its processes, also to one that has outlived its primary. */
  wake(): void;
  /** Writes or replaces a rule file; the proxy sees it by itself, a little later. */
  writeRule(domain: string, rule: Readonly<Record<string, unknown>> | string): Promise<void>;
  removeRule(domain: string): Promise<void>;
  /** Polls until the condition holds; rejects with the logs after 20 s. */
  until(condition: () => boolean | Promise<boolean>, what?: string): Promise<void>;
}

/** The compiled command, beside the compiled tests. */
export const PGFIG = fileURLToPath(new URL('../../src/main/pgfig.js', import.meta.url));
const READY_DEADLINE = 60_000;
/** A process that sleeps (SIGSTOP) when its primary dies is waked so often. */
const WAKE_MS = 1_000;

/** Whether the proxy has been built. */
export const hasPgfig = (): boolean => existsSync(PGFIG);

/** Writes a folder with pgfig.yaml and rules, and gives the path of the config; for `check`, `explain` and `serve`. */
export async function writeConfig(options: PgfigOptions, ports: { listen: number; admin: number }): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pgfig-config-'));
  await onTeardown(() => rm(folder, { recursive: true, force: true }));
  const names = Object.keys(options.databases);
  const base: Record<string, unknown> = {
    listen: { host: '127.0.0.1', port: ports.listen, workers: 1 },
    admin: { host: '127.0.0.1', port: ports.admin },
    databases: Object.fromEntries(Object.entries(options.databases).map(([name, url]) => [name, { url }])),
    default: names[0],
    rules: 'routing-rules',
    auth: { method: 'trust' },
  };
  await mkdir(path.join(folder, 'routing-rules'));
  for (const [domain, rule] of Object.entries(options.rules ?? {})) {
    await writeFile(path.join(folder, 'routing-rules', `${domain}.yaml`), stringify({ domain, ...rule }));
  }
  const file = path.join(folder, 'pgfig.yaml');
  await writeFile(file, stringify(merge(base, options.config ?? {})));
  return file;
}

/**
 * Runs `pgfig serve` with a config of its own on free ports and waits until it is ready. The test
 * file's teardown ends it. One worker unless `config.listen.workers` says otherwise.
 * @throws Error with the process's output when it ends or is not ready in 20 s
 */
export async function startPgfig(options: PgfigOptions): Promise<TestPgfig> {
  for (let triesLeft = 3; ; triesLeft--) {
    const ports = { listen: await freePort(), admin: await freePort() };
    const file = await writeConfig(options, ports);
    const running = new Running(options, file, ports);
    await onTeardown(() => running.end());
    try {
      await running.ready();
      return running;
    } catch (error) {
      await running.end();
      if (triesLeft <= 1 || !/in use|EADDRINUSE/.test(running.logs())) throw error;
    }
  }
}

class Running implements TestPgfig {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly adminPort: number;
  readonly folder: string;
  readonly configFile: string;
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;
  readonly #dbname: string;
  readonly #token: string | null;
  #ended = false;
  #output = '';

  constructor(options: PgfigOptions, configFile: string, ports: { listen: number; admin: number }) {
    this.configFile = configFile;
    this.folder = path.dirname(configFile);
    const merged = merge({ listen: { port: ports.listen }, admin: { port: ports.admin } }, options.config ?? {});
    this.port = Number((merged.listen as { port: number }).port);
    this.adminPort = Number((merged.admin as { port: number }).port);
    this.#token = (merged.admin as { token?: string }).token ?? null;
    const name = String(options.config?.default ?? Object.keys(options.databases)[0]);
    this.#dbname = decodeURIComponent(new URL(options.databases[name] ?? 'postgres://x/postgres').pathname.slice(1));
    this.#child = spawn(process.execPath, [PGFIG, 'serve', '--config', configFile, ...(options.args ?? [])], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      // A process group of its own, by which also those are reached that have outlived their primary.
      detached: true,
    });
    guard(this.#child, this.folder);
    const keep = (data: Buffer) => {
      this.#output += data.toString('utf8');
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.#exit = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        this.#ended = true;
        resolve(code);
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  url(dbname = this.#dbname): string {
    return `postgres://postgres:postgres@${this.host}:${this.port}/${encodeURIComponent(dbname)}`;
  }

  logs(): string {
    return this.#output;
  }

  async ready(): Promise<void> {
    await this.until(async () => {
      if (this.#ended) throw new Error(`pgfig ended before it was ready:\n${this.#output}`);
      const headers: Record<string, string> = this.#token === null ? {} : { authorization: `Bearer ${this.#token}` };
      const answer = await fetch(`http://127.0.0.1:${this.adminPort}/readyz`, { headers }).catch(() => null);
      await answer?.body?.cancel();
      return answer?.ok === true && (await this.#listens());
    }, 'ready');
  }

  /** The admin endpoint answers before clients can connect; a level above info leaves out the line that says so. */
  async #listens(): Promise<boolean> {
    if (/"msg":"ready"/.test(this.#output)) return true;
    if (/"level":30/.test(this.#output)) return false;
    const socket = connect({ host: this.host, port: this.port });
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    return connected;
  }

  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    return this.#exit;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    // What sleeps does not notice that its primary has gone, and holds the pipes.
    const waking = setInterval(() => this.wake(), WAKE_MS);
    await this.#exit;
    clearInterval(waking);
  }

  wake(): void {
    this.#signal('SIGCONT');
  }

  async end(): Promise<void> {
    await Promise.race([this.stop(), new Promise((resolve) => setTimeout(resolve, 3000).unref())]);
    this.#signal('SIGKILL');
    await this.#exit;
    await rm(this.folder, { recursive: true, force: true });
  }

  /** To the whole process group. */
  #signal(name: NodeJS.Signals): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, name);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }

  async writeRule(domain: string, rule: Readonly<Record<string, unknown>> | string): Promise<void> {
    const text = typeof rule === 'string' ? rule : stringify({ domain, ...rule });
    await writeFile(path.join(this.folder, 'routing-rules', `${domain}.yaml`), text);
  }

  async removeRule(domain: string): Promise<void> {
    await rm(path.join(this.folder, 'routing-rules', `${domain}.yaml`), { force: true });
  }

  async until(condition: () => boolean | Promise<boolean>, what = 'condition'): Promise<void> {
    const deadline = Date.now() + READY_DEADLINE;
    while (!(await condition())) {
      if (Date.now() > deadline) throw new Error(`not in time: ${what}. pgfig said:\n${this.#output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function merge(
  base: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isRecord(below) && isRecord(value) ? merge(below, value) : value;
  }
  return merged;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
