import { consoleWarnings } from '../config/console-access.js';
import { loadConfig } from '../config/load.js';
import { certificateWarnings } from '../config/tls-files.js';
import { openLog } from '../operator/log/logger.js';
import { loadRules } from '../rules/load.js';
import { type Address, Primary } from './primary.js';

export interface ServeInfo {
  readonly listen: Address;
  /** Where the admin API answers. */
  readonly admin: Address;
  readonly workers: number;
  /** Ends the service as SIGTERM does; a second call as a second SIGTERM does. */
  readonly stop: () => void;
}

export interface ServeOptions {
  /** Path of pgfig.yaml. */
  readonly config: string;
  /** Print one line per message of the protocol. */
  readonly trace?: boolean;
  /** Called once, when clients can connect. */
  readonly onReady?: (info: ServeInfo) => void;
  /** Act on SIGTERM, SIGINT and SIGHUP (default true). */
  readonly signals?: boolean;
  /** Program of a worker; another one in tests. */
  readonly workerProgram?: string;
}

/**
 * Runs the proxy; resolves after a drain, when all its processes are gone.
 * @throws PgfigError FILE_UNREADABLE, CONFIG_INVALID, RULES_INVALID, PORT_IN_USE
 */
export async function serve(options: ServeOptions): Promise<void> {
  const config = loadConfig(options.config);
  const rules = loadRules(config.rules, {
    databases: [...config.databases.keys()],
    default: config.default,
    version: 1,
  });
  const { log, flush } = openLog('primary', config.log.level);
  for (const warning of certificateWarnings(config)) log.warn(warning.text);
  for (const warning of consoleWarnings(config)) log.warn(warning);
  const primary = new Primary({
    config,
    rules,
    log,
    trace: options.trace ?? false,
    ...(options.workerProgram === undefined ? {} : { workerProgram: options.workerProgram }),
  });
  const ending = new Ending(primary, (text) => log.info({ drain_timeout_ms: config.limits.drainTimeout }, text));
  const forget = options.signals === false ? () => {} : listenToSignals(ending, primary, (text) => log.info(text));
  try {
    const addresses = await Promise.race([primary.start(), ending.done]);
    if (addresses !== undefined) {
      log.info({ ...addresses, workers: config.listen.workers, rules_version: rules.version }, 'ready');
      options.onReady?.({ ...addresses, workers: config.listen.workers, stop: () => ending.next() });
      await ending.done;
    }
    log.info('stopped');
  } finally {
    forget();
    flush();
  }
}

/** The way out: the first step drains, the second ends now. */
class Ending {
  readonly done: Promise<undefined>;
  readonly #primary: Primary;
  readonly #say: (text: string) => void;
  #steps = 0;
  #resolve: () => void = () => {};

  constructor(primary: Primary, say: (text: string) => void) {
    this.#primary = primary;
    this.#say = say;
    this.done = new Promise((resolve) => {
      this.#resolve = () => resolve(undefined);
    });
  }

  next(): void {
    this.#steps += 1;
    if (this.#steps > 2) return;
    this.#say(this.#steps === 1 ? 'draining: no new clients, transactions may end' : 'ending all sessions now');
    void (this.#steps === 1 ? this.#primary.drain() : this.#primary.stop()).then(this.#resolve);
  }
}

function listenToSignals(ending: Ending, primary: Primary, say: (text: string) => void): () => void {
  const end = (): void => ending.next();
  const reload = (): void => {
    say('reading certificates, users and rules again');
    primary.reload();
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  process.on('SIGHUP', reload);
  return () => {
    process.off('SIGTERM', end);
    process.off('SIGINT', end);
    process.off('SIGHUP', reload);
  };
}
