import type { Config, DatabaseConfig } from '../../config/config.js';
import { loadParser, type PlpgsqlParser } from '../../sql/parser.js';
import { connectPg } from '../pg-client.js';
import type { CatalogPart } from './catalog-part.js';
import { PartReader } from './part-reader.js';

/** Reads the catalogs of databases again and again, and remembers what it has read to read less the next time. */
export class CatalogReader {
  readonly #config: Config;
  readonly #readers = new Map<string, PartReader>();

  constructor(config: Config) {
    this.#config = config;
  }

  /**
   * One entry for each database of the configuration: what it holds, or why it could not be read. Never throws. What
   * has not changed is the same object as the last time.
   * @param thorough false: where the server counts no change since the last reading, that is believed; a change of the
   *   last seconds may not be counted yet
   */
  async read(thorough = true): Promise<Map<string, CatalogPart | Error>> {
    const read = async (database: DatabaseConfig): Promise<[string, CatalogPart | Error]> => {
      try {
        return [database.name, await this.#part(database, thorough)];
      } catch (error) {
        return [database.name, error instanceof Error ? error : new Error(String(error))];
      }
    };
    return new Map(await Promise.all([...this.#config.databases.values()].map(read)));
  }

  async #part(database: DatabaseConfig, thorough: boolean): Promise<CatalogPart> {
    const client = await connectPg(this.#config, database, 'pgfig catalog');
    try {
      const reader = this.#readers.get(database.name) ?? new PartReader(theParser);
      this.#readers.set(database.name, reader);
      return await reader.read(client, thorough);
    } finally {
      await client.end().catch(() => {});
    }
  }
}

let parser: Promise<PlpgsqlParser> | null = null;

/** One for the process: its module takes a while to compile. */
function theParser(): Promise<PlpgsqlParser> {
  parser ??= loadParser();
  return parser;
}
