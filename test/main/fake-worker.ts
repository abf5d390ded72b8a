import type { Socket } from 'node:net';
import { EMPTY_MATRIX, type Matrix } from '../../src/matrix/matrix.js';
import { runWorker, type Traffic } from '../../src/operator/processes/worker-process.js';
import { pidOf } from '../../src/session/login/cancel-keys.js';
import type { SessionInfo } from '../../src/session/traffic-events.js';
import type { TrafficOptions, TrafficStats } from '../../src/session/worker-traffic.js';
import { recordOf } from '../operator/statement-records.js';

/**
 * A worker whose sessions speak lines instead of the Postgres protocol, to test the processes around the
 * session layer: `who` worker and rules, `limits` what the others hold, `begin`/`end` a transaction that a
 * drain waits for, `count` one statement, `sync ID DOMAIN` a turn, `records SERVICE N` for the access log, `ddl`, `cancel PID SECRET`, `crash`, `hang` (the event loop).
 */
class LineTraffic implements Traffic {
  readonly #options: TrafficOptions;
  readonly #sessions = new Map<Socket, { info: SessionInfo; busy: boolean }>();
  #others: { total: number; byUser: Record<string, number> } = { total: 0, byUser: {} };
  #rules: TrafficOptions['rules'];
  #catalog: string | null;
  /** Sessions that have asked for a turn. */
  readonly #askers = new Set<Socket>();
  #statements = 0;
  #reloads = 0;
  #cancels = 0;
  #draining = false;
  #onChange: () => void = () => {};
  #next = 1;

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#rules = options.rules;
    this.#catalog = options.catalog === null ? null : `${options.catalog.version}`;
  }

  readonly unharvested = 0;

  harvest(): Matrix {
    return EMPTY_MATRIX;
  }

  accept(socket: Socket): void {
    const id = this.#next++;
    const pid = pidOf(this.#options.workerId, id);
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    const info = { id, pid, user: 'ann', database: 'shop', service: 'test', peer, tls: false };
    this.#sessions.set(socket, { info, busy: false });
    this.#options.events.sessionOpened(info);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sessions.delete(socket);
      this.#options.events.sessionClosed(info, 'closed');
      this.#onChange();
    });
    socket.on('data', (data) => {
      for (const line of data.toString().trim().split('\n')) socket.write(`${this.#answer(socket, line)}\n`);
    });
    socket.write(`pid ${pid}\n`);
    socket.resume();
  }

  #answer(socket: Socket, line: string): string {
    const session = this.#sessions.get(socket);
    const [word, ...rest] = line.split(' ');
    switch (word) {
      case 'who':
        return JSON.stringify({
          worker: this.#options.workerId,
          pid: process.pid,
          rules: this.#rules.version,
          tables: [...this.#rules.tables.keys()],
          catalog: this.#catalog,
          authKey: this.#options.authKey.toString('hex'),
          reloads: this.#reloads,
          cancels: this.#cancels,
        });
      case 'limits':
        return JSON.stringify(this.#others);
      case 'count':
        this.#statements += 1;
        return 'counted';
      case 'sync':
        this.#askers.add(socket);
        this.#options.relays.sync(Number(rest[0]), rest.slice(1));
        this.#options.relays.poke(rest.slice(1));
        return 'asked';
      case 'records':
        for (let n = 0; n < Number(rest[1]); n++) this.#record(rest[0] ?? '', n);
        return 'done';
      case 'begin':
      case 'end':
        if (session !== undefined) session.busy = word === 'begin';
        if (this.#draining && word === 'end') setImmediate(() => socket.end());
        return 'done';
      case 'ddl':
        this.#options.events.ddlSeen();
        return 'done';
      case 'cancel':
        void this.#options.forwardCancel(Number(rest[0]), Buffer.from(rest[1] ?? ''));
        return 'done';
      case 'crash':
        setImmediate(() => {
          throw new Error('crash was asked for');
        });
        return 'crashing';
      case 'hang':
        for (const until = Date.now() + Number(rest[0]); Date.now() < until; );
        return 'done';
      default:
        return `unknown ${word}`;
    }
  }

  #record(service: string, session: number): void {
    const { accessLog, events } = this.#options;
    if (accessLog?.wants(service) === true) events.statementDone?.(recordOf({ service, session }));
  }

  setRules(rules: TrafficOptions['rules']): void {
    this.#rules = rules;
  }

  setCatalog(catalog: NonNullable<TrafficOptions['catalog']>): void {
    this.#catalog = `${catalog.version}`;
  }

  async reloadSecrets(): Promise<void> {
    this.#reloads += 1;
  }

  async cancel(pid: number, secret: Buffer): Promise<void> {
    this.#cancels += 1;
    for (const [socket, { info }] of this.#sessions) {
      if (info.pid !== pid) continue;
      socket.write(`cancelled ${secret.toString()}\n`);
      return;
    }
  }

  turnOver(id: number, outcome: string): void {
    for (const socket of this.#askers) socket.write(`turn ${id} ${outcome}\n`);
  }

  controlStarted(): void {
    for (const socket of this.#askers) socket.write('control started\n');
  }

  setLimits(others: { total: number; byUser: Record<string, number> }): void {
    this.#others = others;
  }

  async drain(deadline: number): Promise<void> {
    this.#draining = true;
    for (const [socket, { busy }] of this.#sessions) if (!busy) socket.end();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, deadline - Date.now());
      this.#onChange = () => {
        if (this.#sessions.size > 0) return;
        clearTimeout(timer);
        resolve();
      };
      this.#onChange();
    });
  }

  close(): void {
    for (const socket of this.#sessions.keys()) socket.destroy();
  }

  sights(): [] {
    return [];
  }

  backends(): [] {
    return [];
  }

  stats(): TrafficStats {
    const none = { boundaries: [0.001, 0.01], counts: [0, 0, 0], sum: 0, count: 0 };
    return {
      sessions: this.#sessions.size,
      sessionsByUser: {},
      statements: [{ database: 'monolith', kind: 'select', domain: '', count: this.#statements }],
      refusals: [],
      cache: { hits: 0, misses: 0, uncached: 0, threaded: 0, unparsable: 0, evictions: 0, entries: 0, bytes: 0 },
      bytes: { fromClients: 0, toClients: 0, fromBackends: 0, toBackends: 0 },
      pauses: { client: 0, backend: 0 },
      authFailures: 0,
      proxySeconds: none,
      backendSeconds: [],
      holds: [],
      links: [],
      opaque: 0,
      mirrored: 0,
      divergences: [],
      rulesVersion: this.#rules.version,
    };
  }
}

runWorker((options) => new LineTraffic(options));
