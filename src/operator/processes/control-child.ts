import { type ChildProcess, fork } from 'node:child_process';
import type { Logger } from 'pino';
import { PgfigError } from '../../errors/pgfig-error.js';
import { counter, type Metric } from '../metrics/metric-json.js';
import { BackOff } from './back-off.js';
import type { ControlInit, FromControl, ToControl } from './messages.js';
import { Pulse } from './pulse.js';

/** Longer than it may take to store what it has counted. */
const KILL_AFTER_MS = 5_000;
/**
 * Pings without an answer, one a second, after which it hangs. Reading a large catalog or collecting garbage takes a
 * second or two; what leaves no turn of the event loop for 15 seconds leads no relay either, but keeps its domains.
 */
const PATIENCE = 15;

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
  #pulse: Pulse | null = null;
  #restarts = 0;
  #hangs = 0;
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
    return [
      counter('pgfig_control_restarts_total', 'Control processes that died and were replaced.', this.#restarts),
      counter('pgfig_control_hangs_total', 'Control processes that hung and were killed.', this.#hangs),
    ];
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  #stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#pulse?.stop();
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
      if (!this.#begun) return;
      this.#pulse = this.#watch();
      this.#options.onBegun();
    } else if (message.type === 'pong') this.#pulse?.answered();
    else if (message.type === 'listening') {
      this.#adminPort = message.port;
      this.#onStart?.listening({ host: message.host, port: message.port });
      this.#onStart = null;
    } else if (message.type === 'listen-failed') this.#listenFailed(message.code, message.message);
    else this.#options.onMessage(message);
  }

  /** Killed, its connections end, and with them its hold on the domains. */
  #watch(): Pulse {
    return new Pulse({
      patience: PATIENCE,
      ping: () => this.#tell({ type: 'ping' }),
      onHung: () => {
        this.#hangs += 1;
        this.#options.log.error(
          { pid: this.#child?.pid, unanswered_pings: PATIENCE },
          'control process hangs; it is killed',
        );
        this.#child?.kill('SIGKILL');
      },
    });
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
    this.#pulse?.stop();
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
