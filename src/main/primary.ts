import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { mergeWireTexts } from '../backend/catalog/wire-text.js';
import type { Config } from '../config/config.js';
import { DeltaQueue } from '../operator/matrix/delta-queue.js';
import { ProcessMetrics } from '../operator/metrics/process-metrics.js';
import { mockAuthKey } from '../operator/processes/auth-key.js';
import { UNAVAILABLE } from '../operator/processes/console-wire.js';
import { ControlChild } from '../operator/processes/control-child.js';
import type { FromControl, PrimaryStatus } from '../operator/processes/messages.js';
import { configToWire, type RuleSetWire, rulesToWire } from '../operator/processes/wire-forms.js';
import { WorkerPool } from '../operator/processes/worker-pool.js';
import type { RuleSet } from '../rules/rule-set.js';

/** How long the first clients wait for the catalogs; a database that is down must not hold up the others. */
const FIRST_CATALOG_MS = 2_000;

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface PrimaryOptions {
  readonly config: Config;
  readonly rules: RuleSet;
  readonly log: Logger;
  readonly trace: boolean;
  /** Program of a worker; another one in tests. */
  readonly workerProgram?: string;
}

/**
 * The primary process: accepts (node:cluster), supervises the workers and the control process, and hands
 * messages between them. Rules and catalogs only pass through it.
 */
export class Primary {
  readonly #options: PrimaryOptions;
  readonly #startedAt = Date.now();
  readonly #pool: WorkerPool;
  readonly #control: ControlChild;
  readonly #metrics = new ProcessMetrics('primary');
  readonly #deltas = new DeltaQueue((matrix) => this.#control.send({ type: 'matrix', matrix }));
  readonly #divergences = new DeltaQueue((divergences) => this.#control.send({ type: 'divergences', divergences }));
  #rules: RuleSetWire;
  #catalog: string | null = null;
  #onCatalog: (() => void) | null = null;
  #authKey = '';
  #draining = false;

  constructor(options: PrimaryOptions) {
    this.#options = options;
    const { config, log } = options;
    this.#rules = rulesToWire(options.rules);
    const wire = configToWire(config);
    this.#pool = new WorkerPool({
      exec: options.workerProgram ?? fileURLToPath(new URL('./worker.js', import.meta.url)),
      count: config.listen.workers,
      log,
      init: (slot) => ({
        type: 'init',
        slot,
        config: wire,
        rules: this.#rules,
        catalog: this.#catalog,
        authKey: this.#authKey,
        trace: options.trace,
      }),
      onDdl: (from, id) => {
        const sent = this.#control.send({ type: 'ddl-seen', asked: id === null ? null : { id, from } });
        if (!sent && id !== null) this.#pool.catalogRead(from, id, false);
      },
      onMatrix: (matrix) => this.#deltas.add(matrix),
      onDivergences: (divergences) => this.#divergences.add(divergences),
      onConsole: (from, request) => {
        if (!this.#control.send({ ...request, from })) this.#pool.answerConsole(from, request.id, UNAVAILABLE);
      },
      // What nobody gets is sent again by its worker, when there is a control process.
      onSync: (from, request) => this.#control.send({ ...request, from }),
      onPoke: (domains) => this.#control.send({ type: 'mirror-poke', domains }),
    });
    this.#control = new ControlChild({
      exec: fileURLToPath(new URL('./control.js', import.meta.url)),
      log,
      init: (adminPort) => ({
        type: 'init',
        config: wire,
        rules: this.#rules,
        startedAt: this.#startedAt,
        adminPort,
      }),
      onMessage: (message) => this.#receive(message),
      onBegun: () => this.#pool.broadcast({ type: 'control-started' }),
    });
  }

  /** Resolves when clients and operators can connect. @throws PgfigError PORT_IN_USE, INTERNAL; then nothing runs. */
  async start(): Promise<{ listen: Address; admin: Address }> {
    try {
      this.#authKey = (await mockAuthKey(this.#options.config)).toString('base64');
      const catalog = this.#firstCatalog();
      const admin = await this.#control.start();
      await catalog;
      // Told to end meanwhile: whoever waits for this waits for the end too.
      if (this.#draining) return await new Promise<never>(() => {});
      const listen = await this.#pool.start();
      return { listen, admin };
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Certificates, userlist and rules are read again. */
  reload(): void {
    this.#pool.broadcast({ type: 'reload-secrets' });
    this.#control.send({ type: 'reload-rules' });
  }

  /** No new clients; transactions may end until limits.drainTimeout; then all processes are gone. */
  async drain(): Promise<void> {
    this.#draining = true;
    await this.#pool.drain(this.#options.config.limits.drainTimeout);
    await this.#end();
  }

  /** Ends all sessions now. */
  async stop(): Promise<void> {
    this.#draining = true;
    await this.#pool.stop();
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#onCatalog?.();
    await this.#control.stop();
    this.#metrics.stop();
  }

  #firstCatalog(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, FIRST_CATALOG_MS);
      this.#onCatalog = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #receive(message: FromControl): void {
    switch (message.type) {
      case 'rules':
        this.#rules = message.rules;
        this.#pool.broadcast({ type: 'rules', rules: message.rules });
        break;
      case 'reload-secrets':
        this.#pool.broadcast({ type: 'reload-secrets' });
        break;
      case 'catalog':
        // What came is the change only; a worker that starts later needs it all.
        this.#catalog = mergeWireTexts(this.#catalog, message.catalog);
        this.#onCatalog?.();
        this.#pool.broadcast({ type: 'catalog', catalog: message.catalog });
        break;
      case 'scrape':
        void this.#scrape(message.id);
        break;
      case 'sessions':
        void this.#pool.sessions(message.most).then((sessions) => {
          this.#control.send({ type: 'sessions', id: message.id, sessions });
        });
        break;
      case 'backends':
        void this.#pool.backends().then((backends) => {
          this.#control.send({ type: 'backends', id: message.id, backends });
        });
        break;
      case 'catalog-read':
        this.#pool.catalogRead(message.to, message.id, message.whole);
        break;
      case 'console':
        this.#pool.answerConsole(message.to, message.id, message.outcome);
        break;
      case 'mirror-synced':
        this.#pool.turnOver(message.to, message.id, message.outcome);
        break;
      case 'status':
        this.#control.send({ type: 'status', id: message.id, status: this.#status() });
        break;
    }
  }

  async #scrape(id: number): Promise<void> {
    const parts = await this.#pool.metrics();
    parts.push(JSON.stringify([...this.#control.metrics(), ...this.#metrics.collect()]));
    this.#control.send({ type: 'scrape', id, parts });
  }

  #status(): PrimaryStatus {
    return {
      pid: process.pid,
      draining: this.#draining,
      workers: this.#pool.status(),
      sessionsByUser: this.#pool.sessionsByUser(),
    };
  }
}
