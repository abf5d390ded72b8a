import net from 'node:net';
import { Catalog } from '../../backend/catalog.js';
import type { Config } from '../../config/config.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import type { Console } from '../../session/console/console.js';
import type { TrafficEvents } from '../../session/traffic-events.js';
import type { TrafficOptions, WorkerTraffic } from '../../session/worker-traffic.js';
import { type AccessLog, openAccessLog } from '../access-log/access-log.js';
import { openAuthQuery } from '../auth-query.js';
import { readCommands, SERVER_VERSION } from '../console/commands.js';
import { errorFields, openLog, type ProcessLog } from '../log/logger.js';
import { sessionLog, tracePrinter } from '../log/session-log.js';
import { ProcessMetrics } from '../metrics/process-metrics.js';
import { trafficMetrics } from '../metrics/traffic-metrics.js';
import { DivergenceBatch } from '../mirror/divergence-batch.js';
import { Asks } from './asks.js';
import { answerFromText } from './console-wire.js';
import { ForwardedCancels } from './forwarded-cancels.js';
import { Harvester } from './harvester.js';
import type { FromWorker, ToWorker, WorkerInit } from './messages.js';
import { SessionTally, Throttle } from './session-counts.js';
import { configFromWire, rulesFromWire } from './wire-forms.js';

/** What the worker process needs of the session layer's WorkerTraffic. */
export type Traffic = Pick<
  WorkerTraffic,
  | 'accept'
  | 'setRules'
  | 'setCatalog'
  | 'reloadSecrets'
  | 'cancel'
  | 'setLimits'
  | 'sights'
  | 'backends'
  | 'stats'
  | 'harvest'
  | 'unharvested'
  | 'turnOver'
  | 'controlStarted'
  | 'drain'
  | 'close'
>;

/** How often a worker tells its session counts at most. */
const REPORT_INTERVAL_MS = 20;
const KEEP_ALIVE_MS = 60_000;
/** Longer than whatever the control process itself waits for. */
const CONSOLE_TIMEOUT_MS = 10_000;
/** A session that has done DDL waits this long at most until the catalog shows it: a database may be down. */
const CATALOG_TIMEOUT_MS = 2_000;

const silence = (): never => {
  throw new PgfigError('CONSOLE_UNAVAILABLE', 'the control process, which answers the console, does not answer');
};

const send = (message: FromWorker): void => {
  // The primary may be gone; then 'disconnect' ends this process.
  if (process.connected) process.send?.(message);
};

/**
 * The life of a worker process: asks the primary for its part, listens, carries traffic, answers the
 * primary's messages. The terminal's signals reach the whole group of processes; only the primary
 * acts on them, so that a drain has one conductor.
 */
export function runWorker(makeTraffic: (options: TrafficOptions) => Traffic): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  let worker: WorkerProcess | null = null;
  process.on('message', (message: ToWorker) => {
    if (message.type === 'ping') return send({ type: 'pong' });
    if (message.type !== 'init') {
      if (worker !== null) worker.handle(message);
      else if (message.type === 'stop' || message.type === 'drain') process.exit(0);
      return;
    }
    try {
      worker = new WorkerProcess(message, makeTraffic);
    } catch (error) {
      send({ type: 'start-failed', message: error instanceof Error ? error.message : String(error) });
    }
  });
  process.on('disconnect', () => {
    if (worker === null) process.exit(1);
    worker.end('the primary process is gone');
  });
  send({ type: 'hello' });
}

class WorkerProcess {
  readonly #slot: number;
  readonly #config: Config;
  readonly #output: ProcessLog;
  readonly #accessLog: AccessLog | null;
  readonly #traffic: Traffic;
  #catalog: Catalog | null;
  readonly #server: net.Server;
  readonly #cancels = new ForwardedCancels(send);
  readonly #commands = new Asks<string, { user: string; command: string }>(
    (id, question) => send({ type: 'console', id, ...question }),
    CONSOLE_TIMEOUT_MS,
  );
  readonly #readings = new Asks<boolean>((id) => send({ type: 'ddl-seen', id }), CATALOG_TIMEOUT_MS);
  readonly #tally = new SessionTally();
  readonly #report: Throttle;
  readonly #metrics: ProcessMetrics;
  readonly #harvester: Harvester | null;
  readonly #divergences = new DivergenceBatch((found) =>
    send({ type: 'divergences', divergences: JSON.stringify(found) }),
  );

  constructor(init: WorkerInit, makeTraffic: (options: TrafficOptions) => Traffic) {
    this.#slot = init.slot;
    this.#config = configFromWire(init.config);
    this.#output = openLog(`worker-${init.slot}`, this.#config.log.level);
    this.#metrics = new ProcessMetrics(`worker-${init.slot}`);
    this.#report = new Throttle(REPORT_INTERVAL_MS, () => send({ type: 'sessions', counts: this.#tally.counts() }));
    this.#dieLoudly();
    this.#accessLog = openAccessLog(this.#config, init.slot, this.#output.log);
    this.#catalog = init.catalog === null ? null : Catalog.fromText(init.catalog);
    this.#traffic = makeTraffic({
      config: this.#config,
      workerId: init.slot,
      rules: rulesFromWire(init.rules),
      catalog: this.#catalog,
      authKey: Buffer.from(init.authKey, 'base64'),
      authQuery: openAuthQuery(this.#config)?.lookUp ?? null,
      events: this.#events(init.trace),
      trace: init.trace,
      console: this.#console(),
      ...(this.#accessLog === null ? {} : { accessLog: this.#accessLog }),
      relays: {
        sync: (id, domains) => send({ type: 'mirror-sync', id, domains }),
        poke: (domains) => send({ type: 'mirror-poke', domains }),
      },
      catalogAfterDdl: () => this.#readings.ask().catch(() => false),
      forwardCancel: (pid, secret) => this.#cancels.forward(pid, secret),
    });
    this.#server = this.#listen(init.rules.version);
    this.#harvester = this.#config.matrix.enabled
      ? new Harvester(this.#traffic, (matrix) => send({ type: 'matrix', matrix }))
      : null;
  }

  /** Texts are understood here; what they ask for is asked of the control process. */
  #console(): Console {
    return {
      serverVersion: SERVER_VERSION,
      read: readCommands,
      run: async (user, { name }) => answerFromText(await this.#commands.ask({ user, command: name }).catch(silence)),
    };
  }

  handle(message: Exclude<ToWorker, WorkerInit | { type: 'ping' }>): void {
    switch (message.type) {
      case 'rules':
        this.#traffic.setRules(rulesFromWire(message.rules));
        send({ type: 'rules-taken', version: message.rules.version });
        break;
      case 'catalog':
        this.#catalog = Catalog.fromText(message.catalog, this.#catalog);
        this.#traffic.setCatalog(this.#catalog);
        break;
      case 'others':
        this.#traffic.setLimits({ total: message.counts.total, byUser: { ...message.counts.byUser } });
        break;
      case 'cancel':
        this.#cancelHere(message);
        break;
      case 'cancelled':
        this.#cancels.done(message.id);
        break;
      case 'reload-secrets':
        this.#reloadSecrets();
        break;
      case 'metrics':
        void this.#answerMetrics(message.id);
        break;
      case 'see-sessions':
        send({ type: 'sessions-seen', id: message.id, sessions: JSON.stringify(this.#traffic.sights(message.most)) });
        break;
      case 'see-backends':
        send({ type: 'backends-seen', id: message.id, backends: JSON.stringify(this.#traffic.backends()) });
        break;
      case 'console':
        this.#commands.answer(message.id, message.outcome);
        break;
      case 'catalog-read':
        this.#readings.answer(message.id, message.whole);
        break;
      case 'mirror-synced':
        this.#traffic.turnOver(message.id, message.outcome);
        break;
      case 'control-started':
        this.#traffic.controlStarted();
        break;
      case 'drain':
        this.#drain(message.timeout);
        break;
      case 'stop':
        this.end('stopped');
        break;
    }
  }

  #cancelHere(request: Extract<ToWorker, { type: 'cancel' }>): void {
    const done = (): void => send({ type: 'cancelled', id: request.id, from: request.from });
    void Promise.resolve(this.#traffic.cancel(request.pid, Buffer.from(request.secret, 'base64'))).then(done, done);
  }

  /** Ends all sessions and the process. */
  end(reason: string): void {
    this.#output.log.debug({ reason }, 'worker ends');
    this.#server.close();
    this.#traffic.close();
    this.#harvester?.close();
    this.#harvester?.now();
    this.#divergences.flush();
    send(this.#metricsMessage(null));
    // One turn of the loop, so that the sessions' last words are written.
    setTimeout(() => void this.#exit(), 50);
  }

  async #exit(): Promise<void> {
    await this.#accessLog?.close();
    await this.#lastMetrics();
    this.#output.flush();
    process.exit(0);
  }

  /** What came of the last records; resolves when the primary has it, or is gone. */
  #lastMetrics(): Promise<void> {
    return new Promise((resolve) => {
      if (!process.connected || process.send === undefined) return resolve();
      process.send(this.#metricsMessage(null), () => resolve());
    });
  }

  #events(trace: boolean): TrafficEvents {
    const log = sessionLog(this.#output.log);
    const events: Omit<TrafficEvents, 'trace'> = {
      ...log,
      sessionOpened: (session) => {
        this.#tally.opened(session.user);
        this.#report.poke();
        log.sessionOpened(session);
      },
      sessionClosed: (session, reason) => {
        this.#tally.closed(session.user);
        this.#report.poke();
        log.sessionClosed(session, reason);
      },
      ddlSeen: () => send({ type: 'ddl-seen', id: null }),
      diverged: (divergence) => this.#divergences.add(divergence),
      statementDone: (record) => this.#accessLog?.write(record),
    };
    return trace ? { ...events, trace: tracePrinter((text) => process.stdout.write(text)) } : events;
  }

  #listen(rulesVersion: number): net.Server {
    const { host, port, backlog } = this.#config.listen;
    const options = { pauseOnConnect: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
    const server = net.createServer(options, (socket) => this.#traffic.accept(socket));
    server.on('error', (error: NodeJS.ErrnoException) =>
      send({ type: 'listen-failed', code: error.code ?? 'unknown', message: error.message }),
    );
    server.listen({ host, port, backlog }, () => {
      const address = server.address();
      const at = typeof address === 'object' && address !== null ? address.port : port;
      send({ type: 'listening', host, port: at, rulesVersion });
    });
    return server;
  }

  /** What was counted goes first: whoever has the answer has it in the matrix too. */
  async #answerMetrics(id: number | null): Promise<void> {
    await this.#harvester?.handOnAll();
    send(this.#metricsMessage(id));
  }

  #metricsMessage(id: number | null): FromWorker {
    const metrics = [
      ...trafficMetrics(this.#traffic.stats(), this.#slot),
      ...(this.#accessLog?.metrics() ?? []),
      ...this.#metrics.collect(),
    ];
    return { type: 'metrics', id, metrics: JSON.stringify(metrics) };
  }

  #reloadSecrets(): void {
    this.#traffic.reloadSecrets().then(
      () => this.#output.log.info('certificates and users read again'),
      (error: unknown) =>
        this.#output.log.error(errorFields(error), 'certificates and users could not be read again; the old ones stay'),
    );
  }

  #drain(timeout: number): void {
    this.#server.close();
    this.#traffic.drain(Date.now() + timeout).then(
      () => this.end('drained'),
      (error: unknown) => {
        this.#output.log.error(errorFields(error), 'drain failed');
        this.end('drain failed');
      },
    );
  }

  /** A bug must not leave a process that looks alive: say it, and let the primary start a new one. */
  #dieLoudly(): void {
    const die = (error: unknown): void => {
      this.#output.log.fatal(
        { ...errorFields(error), stack: error instanceof Error ? error.stack : undefined },
        'worker crashed',
      );
      this.#output.flush();
      process.exit(70);
    };
    process.on('uncaughtException', die);
    process.on('unhandledRejection', die);
  }
}
