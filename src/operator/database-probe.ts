import net from 'node:net';
import type { Config, DatabaseConfig } from '../config/config.js';

/** Asks of the admin API within this time share one probe. */
const FRESH_MS = 1_000;
const LONGEST_MS = 2_000;
/** SSLRequest: Int32 length 8, Int32 80877103 (protocol chapter, Message Formats). */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]);

/**
 * Whether each database answers, seen without a login: an SSLRequest that is answered S or N shows a
 * server that forks and talks, costs it next to nothing, and leaves no line in its log.
 */
export class DatabaseProbe {
  readonly #config: Config;
  #last: { readonly at: number; readonly result: Promise<ReadonlyMap<string, boolean>> } | null = null;

  constructor(config: Config) {
    this.#config = config;
  }

  /** Database name -> answers. Never throws. */
  reachable(): Promise<ReadonlyMap<string, boolean>> {
    const now = Date.now();
    if (this.#last === null || now - this.#last.at >= FRESH_MS) {
      this.#last = { at: now, result: this.#probeAll() };
    }
    return this.#last.result;
  }

  async #probeAll(): Promise<ReadonlyMap<string, boolean>> {
    const entries = [...this.#config.databases.values()].map(
      async (database): Promise<[string, boolean]> => [database.name, await answers(database)],
    );
    return new Map(await Promise.all(entries));
  }
}

function answers(database: DatabaseConfig): Promise<boolean> {
  return new Promise((resolve) => {
    const address = database.host.startsWith('/')
      ? { path: `${database.host}/.s.PGSQL.${database.port}` }
      : { host: database.host, port: database.port };
    const socket = net.connect(address, () => socket.write(SSL_REQUEST));
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(Math.min(LONGEST_MS, database.connectTimeout), () => done(false));
    socket.once('data', (data) => done(data[0] === 0x53 || data[0] === 0x4e));
    socket.once('error', () => done(false));
    socket.once('end', () => done(false));
  });
}
