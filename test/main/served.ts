import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { guard } from '../support/guard.js';

const PROGRAM = fileURLToPath(new URL('./run-serve.js', import.meta.url));
export const FAKE_WORKER = fileURLToPath(new URL('./fake-worker.js', import.meta.url));
const DEADLINE_MS = 20_000;

/** Waits for a condition; its last value comes back. */
export async function until<T>(what: string, look: () => T | null | Promise<T | null>): Promise<T> {
  for (const end = Date.now() + DEADLINE_MS; Date.now() < end; ) {
    const found = await look();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited in vain for: ${what}`);
}

/** pgfig in processes of its own, with a folder for its files; `remove` ends and removes all of it. */
export class Served {
  readonly folder = mkdtempSync(join(tmpdir(), 'pgfig-serve-'));
  readonly lines: Record<string, unknown>[] = [];
  readonly out: string[] = [];
  errors = '';
  listenPort = 0;
  adminPort = 0;
  #child: ChildProcess | null = null;
  #exit: Promise<number | null> = Promise.resolve(null);

  constructor(yaml: string, rules: Record<string, string> = {}) {
    writeFileSync(join(this.folder, 'pgfig.yaml'), yaml);
    mkdirSync(join(this.folder, 'routing-rules'));
    for (const [name, text] of Object.entries(rules)) this.writeRules(name, text);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  writeRules(name: string, text: string): void {
    writeFileSync(join(this.folder, 'routing-rules', name), text);
  }

  /** Starts; resolves when it is ready, or with the exit code when it ends before. */
  async start(worker: string | null = FAKE_WORKER, env: NodeJS.ProcessEnv = {}): Promise<number | null> {
    const args = [PROGRAM, join(this.folder, 'pgfig.yaml'), ...(worker === null ? [] : [worker])];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    guard(child);
    this.#child = child;
    this.#exit = new Promise((resolve) => child.once('close', (code) => resolve(code)));
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.errors += `${line}\n`;
      if (line.startsWith('{')) this.lines.push(JSON.parse(line));
    });
    const ready = new Promise<null>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        this.out.push(line);
        if (!line.startsWith('{"listen"')) return;
        const info = JSON.parse(line);
        this.listenPort = info.listen.port;
        this.adminPort = info.admin.port;
        resolve(null);
      });
    });
    return Promise.race([ready, this.#exit]);
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  exited(): Promise<number | null> {
    return this.#exit;
  }

  /** Log lines with this message. */
  logged(message: string): Record<string, unknown>[] {
    return this.lines.filter((line) => line.msg === message);
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> {
    const response = await fetch(`http://127.0.0.1:${this.adminPort}${path}`, { headers });
    return { status: response.status, text: await response.text() };
  }

  async metric(series: string): Promise<number | null> {
    const { text } = await this.get('/metrics');
    const line = text.split('\n').find((each) => each.startsWith(`${series} `));
    return line === undefined ? null : Number(line.slice(series.length + 1));
  }

  async remove(): Promise<void> {
    if (this.#child !== null && this.#child.exitCode === null) this.#child.kill('SIGKILL');
    await this.#exit;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A client of the fake worker: a line out, a line in. */
export class LineClient {
  readonly #socket: net.Socket;
  readonly #lines: string[] = [];
  readonly #waiting: ((line: string | null) => void)[] = [];
  readonly closed: Promise<void>;
  pid = 0;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    createInterface({ input: socket })
      .on('line', (line) => {
        const waiter = this.#waiting.shift();
        if (waiter) waiter(line);
        else this.#lines.push(line);
      })
      .on('close', () => {
        for (const waiter of this.#waiting.splice(0)) waiter(null);
      });
  }

  static async open(port: number): Promise<LineClient> {
    const client = new LineClient(net.connect(port, '127.0.0.1'));
    client.pid = Number((await client.next())?.split(' ')[1]);
    return client;
  }

  /** The next line, null when the connection has ended. */
  next(): Promise<string | null> {
    const line = this.#lines.shift();
    if (line !== undefined) return Promise.resolve(line);
    if (this.#socket.readableEnded || this.#socket.destroyed) return Promise.resolve(null);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  ask(line: string): Promise<string | null> {
    this.#socket.write(`${line}\n`);
    return this.next();
  }

  async who(): Promise<{
    worker: number;
    pid: number;
    rules: number;
    tables: string[];
    catalog: string | null;
    authKey: string;
    reloads: number;
    cancels: number;
  }> {
    return JSON.parse((await this.ask('who')) ?? '{}');
  }

  close(): void {
    this.#socket.destroy();
  }
}
