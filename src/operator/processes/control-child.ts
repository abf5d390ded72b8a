import { type ChildProcess, fork } from 'node:child_process';
import type { Logger } from 'pino';
import { PgfigError } from '../../errors/pgfig-error.js';
import { counter, type Metric } from '../metrics/metric-json.js';
import { BackOff } from './back-off.js';
import type { ControlInit, FromControl, ToControl } from './messages.js';

/** Longer than it may take to store what it has counted. */
const KILL_AFTER_MS = 5_000;

export interface ControlChildOptions {
  /** File of the control process's program. */
  readonly exec: string;
  readonly log: Logger;
  readonly init: (adminPort: number | null) => ControlInit;
  readonly onMessage: (message: FromControl) => void;
  /** A process has been told what it is for: messages reach it from now on. */
  readonly onBegun: () => void;
}

/** The primary's end of the control process: forks it, replaces it when it dies. Traffic goes on without it. */
export class ControlChild {
  readonly #options: ControlChildOptions;
  readonly #backOff = new BackOff();
  #child: ChildProcess | null = null;
  /** It has been told what it is for; what comes before that, it does not understand. */
  #begun = false;
  #startedAt = 0;
  #restarts = 0;
  #adminPort: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #onStart: { listening: (at: { host: string; port: number }) => void; failed: (error: Error) => void } | null = null;
  #onGone: (() => void) | null = null;
  #stopped: Promise<void> | null = null;

  constructor(options: ControlChildOptions) {
    this.#options = options;
  }

  /** Resolves when the admin API listens. @throws PgfigError PORT_IN_USE */
  start(): Promise<{ host: string; port: number }> {
    return new Promise((resolve, reject) => {
      this.#onStart = { listening: resolve, failed: reject };
      this.#fork();
    });
  }

  /** Whether there is a process that may get it. */
  send(message: ToControl): boolean {
    return this.#begun && this.#tell(message);
  }

  #tell(message: ToControl): boolean {
    if (!this.#child?.connected) return false;
    this.#child.send(message, () => {});
    return true;
  }

  metrics(): Metric[] {
    return [counter('pgfig_control_restarts_total', 'Control processes that died and were replaced.', this.#restarts)];
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  #stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const child = this.#child;
    if (child === null) return Promise.resolve();
    const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    return new Promise((resolve) => {
      this.#onGone = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#tell({ type: 'stop' });
    });
  }

  #fork(): void {
    const child = fork(this.#options.exec, [], { stdio: 'inherit' });
    this.#child = child;
    this.#startedAt = Date.now();
    child.on('message', (message: FromControl) => this.#receive(message));
    child.on('error', () => {});
    child.on('exit', (code, signal) => this.#exited(code, signal));
  }

  #receive(message: FromControl): void {
    if (message.type === 'hello') {
      this.#begun = this.#tell(this.#options.init(this.#adminPort));
      if (this.#begun) this.#options.onBegun();
    } else if (message.type === 'listening') {
      this.#adminPort = message.port;
      this.#onStart?.listening({ host: message.host, port: message.port });
      this.#onStart = null;
    } else if (message.type === 'listen-failed') this.#listenFailed(message.code, message.message);
    else this.#options.onMessage(message);
  }

  #listenFailed(code: string, message: string): void {
    const { host, port } = this.#options.init(this.#adminPort).config.admin;
    const why = code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be listened on: ${message}`;
    const error = new PgfigError('PORT_IN_USE', `the admin address ${host}:${port} ${why}`, {
      hint: 'Stop that program, or set another admin.port in pgfig.yaml.',
    });
    if (this.#onStart !== null) this.#onStart.failed(error);
    else this.#options.log.error({ code }, error.message);
    this.#onStart = null;
    this.#child?.kill('SIGKILL');
  }

  #exited(code: number | null, signal: string | null): void {
    this.#child = null;
    this.#begun = false;
    if (this.#onGone !== null) {
      this.#onGone();
      return;
    }
    const wait = this.#backOff.next(Date.now() - this.#startedAt);
    this.#restarts += 1;
    this.#options.log.error({ code, signal, restart_in_ms: wait }, 'control process died; a new one takes its place');
    this.#timer = setTimeout(() => this.#fork(), wait);
  }
}
