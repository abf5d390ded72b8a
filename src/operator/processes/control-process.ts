import type { Server } from 'node:http';
import type { Config } from '../../config/config.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import type { StatementDivergence } from '../../session/mirror/divergence.js';
import type { SessionSight } from '../../session/session-registry.js';
import { backendsReport } from '../backends-report.js';
import { CatalogRefresher } from '../catalog-refresher.js';
import { isReload } from '../console/commands.js';
import { runCommand } from '../console/run-command.js';
import type { ConsoleSource } from '../console/show.js';
import { DatabaseProbe } from '../database-probe.js';
import { type AdminSource, adminApp } from '../http/admin-app.js';
import { startAdminServer } from '../http/admin-server.js';
import { errorFields, openLog, type ProcessLog } from '../log/logger.js';
import { ActivityWatch } from '../matrix/activity-watch.js';
import { type OpenMatrix, openMatrix } from '../matrix/open-matrix.js';
import { METRICS_CONTENT_TYPE, metricsText } from '../metrics/aggregate.js';
import { controlMetrics } from '../metrics/control-metrics.js';
import { jobMetrics } from '../metrics/job-metrics.js';
import { matrixMetrics } from '../metrics/matrix-metrics.js';
import type { Metric } from '../metrics/metric-json.js';
import { mirrorMetrics, outboxMetrics } from '../metrics/mirror-metrics.js';
import { ProcessMetrics } from '../metrics/process-metrics.js';
import { type DivergenceSink, logSink } from '../mirror/divergence-sink.js';
import { type Feeds, startFeeds } from '../mirror/feeds.js';
import { JobService } from '../mirror/job-service.js';
import { mirrorReport } from '../mirror/mirror-report.js';
import { Mirrors } from '../mirror/mirrors.js';
import { OutboxWatch } from '../mirror/outbox-watch.js';
import { StoredDivergences } from '../mirror/stored-divergences.js';
import { SyncSources } from '../mirror/sync-source.js';
import { type ReloadOutcome, RulesKeeper } from '../rules-keeper.js';
import { reloadReport, rulesReport, takenEverywhere } from '../rules-report.js';
import { readiness, statusReport } from '../status-report.js';
import { Asks } from './asks.js';
import { answerToText, errorToText } from './console-wire.js';
import type {
  ControlInit,
  FromControl,
  HeldBackends,
  PrimaryStatus,
  ToControl,
  WorkerSessions,
  WorkerStatus,
} from './messages.js';
import { configFromWire, rulesFromWire, rulesToWire } from './wire-forms.js';

/** How long an answer to a reload waits for the workers; one that is busy for longer takes the rules later. */
const TAKEN_DEADLINE_MS = 2_000;
const TAKEN_POLL_MS = 5;
/** How long the last flush may take when everything ends. */
const LAST_FLUSH_MS = 3_000;
const LAST_TURN_MS = 2_000;

const send = (message: FromControl): void => {
  if (process.connected) process.send?.(message);
};

const sightsOf = ({ worker, sessions }: WorkerSessions): (SessionSight & { worker: number })[] =>
  (JSON.parse(sessions) as SessionSight[]).map((sight) => ({ ...sight, worker }));

/**
 * The life of the control process: admin API, rules watch, catalog readings. All that may take long
 * is here and not in the primary, where it would hold up connects.
 */
export function runControl(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  let control: ControlProcess | null = null;
  process.on('message', (message: ToControl) => {
    if (message.type === 'ping') send({ type: 'pong' });
    else if (message.type === 'init') control = new ControlProcess(message);
    else if (control !== null) control.handle(message);
    else if (message.type === 'stop') process.exit(0);
  });
  process.on('disconnect', () => {
    if (control === null) process.exit(1);
    control.end();
  });
  send({ type: 'hello' });
}

class ControlProcess {
  readonly #config: Config;
  readonly #init: ControlInit;
  readonly #output: ProcessLog;
  readonly #rules: RulesKeeper;
  readonly #catalog: CatalogRefresher;
  readonly #probe: DatabaseProbe;
  readonly #metrics = new ProcessMetrics('control');
  readonly #scrapes = new Asks<readonly string[]>((id) => send({ type: 'scrape', id }));
  readonly #statuses = new Asks<PrimaryStatus>((id) => send({ type: 'status', id }));
  readonly #sessions = new Asks<readonly WorkerSessions[], number>((id, most) => send({ type: 'sessions', id, most }));
  readonly #backends = new Asks<HeldBackends>((id) => send({ type: 'backends', id }));
  /** The relays that run here, each by its domain. */
  readonly #turns = new SyncSources((domain, error) =>
    this.#output.log.warn({ domain, ...errorFields(error) }, 'a turn of the relay failed'),
  );
  readonly #console: ConsoleSource;
  readonly #mirrors: Mirrors;
  readonly #outbox: OutboxWatch;
  readonly #jobs: JobService;
  readonly #matrix: OpenMatrix | null;
  readonly #activity: ActivityWatch | null;
  readonly #divergences: readonly DivergenceSink[];
  readonly #stored: StoredDivergences;
  readonly #feeds: Feeds | null;
  #server: Server | null = null;

  constructor(init: ControlInit) {
    this.#init = init;
    this.#config = configFromWire(init.config);
    this.#output = openLog('control', this.#config.log.level);
    const { log } = this.#output;
    this.#dieLoudly();
    this.#probe = new DatabaseProbe(this.#config);
    this.#catalog = new CatalogRefresher(
      this.#config,
      (catalog, before) => send({ type: 'catalog', catalog: catalog.toText(before) }),
      (database, error) => log.warn({ database, ...errorFields(error) }, 'catalog cannot be read'),
    );
    this.#rules = new RulesKeeper(this.#config, {
      current: rulesFromWire(init.rules),
      onChange: (rules) => {
        log.info({ version: rules.version, domains: rules.domains.length }, 'rules took effect');
        send({ type: 'rules', rules: rulesToWire(rules) });
        this.#mirrors.update(rules);
        void this.#outbox.look();
        this.#feeds?.update(rules);
        // Workers that knew one database alone have told of no DDL.
        this.#catalog.ddlSeen();
      },
      onPending: (pending) => {
        for (const { domain, at, reason } of pending) log.warn({ domain, at, reason }, 'a change of the rules waits');
        if (pending.length === 0) log.info('no change of the rules waits any more');
      },
      onWarnings: (warnings) => {
        for (const warning of warnings) log.warn(warning);
      },
      onError: (error) => log.error(errorFields(error), 'rules are broken; the last good set stays'),
    });
    this.#mirrors = new Mirrors(this.#config, log, this.#turns);
    this.#mirrors.update(this.#rules.current);
    this.#outbox = new OutboxWatch(this.#config, log, {
      mirrored: () => this.#mirrors.all.map(({ mirror }) => mirror.domain),
    });
    this.#jobs = new JobService(this.#config, log, this.#mirrors);
    this.#matrix = this.#config.matrix.enabled ? openMatrix(this.#config, log) : null;
    this.#activity = this.#matrix === null ? null : new ActivityWatch(this.#config, log, () => this.#flushMatrix());
    this.#stored = new StoredDivergences(this.#config, log);
    this.#divergences = [logSink(log), this.#stored];
    this.#feeds = startFeeds(this.#config, this.#rules.current, log);
    this.#console = this.#consoleSource();
    void this.#listen();
  }

  handle(message: Exclude<ToControl, ControlInit | { type: 'ping' }>): void {
    switch (message.type) {
      case 'scrape':
        this.#scrapes.answer(message.id, message.parts);
        break;
      case 'status':
        this.#statuses.answer(message.id, message.status);
        break;
      case 'sessions':
        this.#sessions.answer(message.id, message.sessions);
        break;
      case 'backends':
        this.#backends.answer(message.id, message.backends);
        break;
      case 'console':
        void this.#answerConsole(message);
        break;
      case 'reload-rules':
        this.#reloadRules();
        break;
      case 'ddl-seen':
        this.#ddlSeen(message.asked);
        break;
      case 'mirror-sync':
        this.#sync(message);
        break;
      case 'mirror-poke':
        this.#turns.poke(message.domains);
        this.#feeds?.poke(message.domains);
        break;
      case 'matrix':
        this.#matrix?.keeper.add(message.matrix);
        break;
      case 'divergences':
        this.#diverged(JSON.parse(message.divergences));
        break;
      case 'stop':
        this.end();
        break;
    }
  }

  #diverged(found: readonly StatementDivergence[]): void {
    for (const one of found) for (const sink of this.#divergences) sink.record(one);
  }

  #ddlSeen(asked: Extract<ToControl, { type: 'ddl-seen' }>['asked']): void {
    if (asked === null) return this.#catalog.ddlSeen();
    const { id, from: to } = asked;
    void this.#catalog.readAnew().then((whole) => send({ type: 'catalog-read', id, to, whole }));
  }

  #sync({ id, from: to, domains }: Extract<ToControl, { type: 'mirror-sync' }>): void {
    this.#feeds?.poke(domains);
    void this.#turns.turnsAfterNow(domains).then((outcome) => send({ type: 'mirror-synced', id, to, outcome }));
  }

  end(): void {
    this.#rules.close();
    this.#catalog.close();
    this.#activity?.close();
    this.#outbox.close();
    this.#server?.close();
    void Promise.all([this.#feeds?.close(), this.#closeMatrix(), this.#closeMirrors(), this.#closeStored()]).finally(
      () => {
        this.#output.flush();
        process.exit(0);
      },
    );
  }

  /** A turn that hangs is left to the server, which rolls it back. */
  async #closeMirrors(): Promise<void> {
    const closed = this.#jobs.close().then(() => this.#mirrors.close());
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, LAST_TURN_MS))]);
  }

  async #closeStored(): Promise<void> {
    await Promise.race([this.#stored.close(), new Promise((resolve) => setTimeout(resolve, LAST_FLUSH_MS))]);
  }

  async #closeMatrix(): Promise<void> {
    await this.#matrix?.keeper.close(LAST_FLUSH_MS);
    await this.#matrix?.topic?.close();
  }

  async #listen(): Promise<void> {
    const { host, port } = this.#config.admin;
    try {
      const started = await startAdminServer(adminApp(this.#source()), host, this.#init.adminPort ?? port);
      this.#server = started.server;
      send({ type: 'listening', host, port: started.port });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      send({ type: 'listen-failed', code, message: error instanceof Error ? error.message : String(error) });
    }
  }

  #source(): AdminSource {
    const state = { startedAt: this.#init.startedAt, rules: this.#rules, catalog: this.#catalog };
    return {
      token: this.#config.admin.token,
      metrics: async () => {
        const parts = await this.#scrapes.ask();
        const own = [
          ...controlMetrics(this.#rules, this.#catalog, await this.#probe.reachable()),
          ...(this.#matrix === null ? [] : matrixMetrics(this.#matrix.keeper)),
          ...(this.#matrix?.topic?.metrics() ?? []),
          ...mirrorMetrics(this.#mirrors),
          ...outboxMetrics(this.#outbox.sight),
          ...jobMetrics(this.#jobs),
          ...(this.#feeds?.metrics() ?? []),
          ...this.#metrics.collect(),
        ];
        return {
          text: await metricsText([...parts.map((part) => JSON.parse(part)), own]),
          contentType: METRICS_CONTENT_TYPE,
        };
      },
      ready: async () => readiness(this.#config, await this.#statuses.ask(), await this.#probe.reachable()),
      status: async () => {
        const [primary, reachable] = [await this.#statuses.ask(), await this.#probe.reachable()];
        return statusReport(this.#config, primary, reachable, { ...state, events: this.#feeds?.status ?? [] });
      },
      rules: async () => rulesReport(this.#config, this.#rules, (await this.#statuses.ask()).workers),
      reload: () => this.#reload(),
      flushMatrix: () => this.#flushMatrix(),
      mirrors: () => this.#mirrors.all.map(mirrorReport),
      retryEvents: (domain) => this.#feeds?.retry(domain) ?? [],
      backends: async () => backendsReport(await this.#backends.ask()),
      failed: (path, error) => this.#output.log.error({ path, ...errorFields(error) }, 'admin request failed'),
    };
  }

  /** All that the workers have counted until now is stored. @returns why it is not; null: it is */
  async #flushMatrix(): Promise<string | null> {
    if (this.#matrix === null) return 'matrix.enabled is false';
    // Workers send what they have counted ahead of their metrics.
    await this.#scrapes.ask();
    await this.#matrix.keeper.flush();
    return this.#matrix.keeper.error;
  }

  #consoleSource(): ConsoleSource {
    return {
      config: this.#config,
      rules: this.#rules,
      catalog: this.#catalog,
      status: () => this.#statuses.ask(),
      metrics: async () => (await this.#scrapes.ask()).flatMap((part) => JSON.parse(part) as Metric[]),
      sessions: async (most) => (await this.#sessions.ask(most)).flatMap(sightsOf),
      reachable: () => this.#probe.reachable(),
      reload: async () => {
        const { outcome, workers } = await this.#reloadEverywhere();
        return { outcome, everywhere: takenEverywhere(outcome.version, workers) };
      },
    };
  }

  async #answerConsole({ id, from: to, user, command }: Extract<ToControl, { type: 'console' }>): Promise<void> {
    const { log } = this.#output;
    if (isReload(command)) log.info({ user }, 'RELOAD on the console');
    const outcome = await runCommand(this.#console, command).then(answerToText, (error: unknown) => {
      if (!(error instanceof PgfigError)) log.error({ command, ...errorFields(error) }, 'console command failed');
      return errorToText(error);
    });
    send({ type: 'console', id, to, outcome });
  }

  #reloadRules(): ReloadOutcome {
    const outcome = this.#rules.reload();
    const { version, taken, pending, error } = outcome;
    this.#output.log.info({ version, taken, pending: pending.length, broken: error !== null }, 'rules read again');
    return outcome;
  }

  async #reload(): Promise<{ refused: boolean; report: object }> {
    const { outcome, workers } = await this.#reloadEverywhere();
    return { refused: outcome.error !== null, report: reloadReport(outcome, workers) };
  }

  /** Answers when the workers have the rules, so that whoever asked may rely on them; or says which have not. */
  async #reloadEverywhere(): Promise<{ outcome: ReloadOutcome; workers: readonly WorkerStatus[] }> {
    send({ type: 'reload-secrets' });
    const outcome = this.#reloadRules();
    const deadline = Date.now() + TAKEN_DEADLINE_MS;
    let { workers } = await this.#statuses.ask();
    while (!takenEverywhere(outcome.version, workers) && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, TAKEN_POLL_MS));
      ({ workers } = await this.#statuses.ask());
    }
    return { outcome, workers };
  }

  #dieLoudly(): void {
    const die = (error: unknown): void => {
      const stack = error instanceof Error ? error.stack : undefined;
      this.#output.log.fatal({ ...errorFields(error), stack }, 'control process crashed');
      this.#output.flush();
      process.exit(70);
    };
    process.on('uncaughtException', die);
    process.on('unhandledRejection', die);
  }
}
