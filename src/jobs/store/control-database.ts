import pg from 'pg';
import { connectPg } from '../../backend/pg-client.js';
import { ensureSchemaPart } from '../../backend/schema-steps.js';
import type { Config } from '../../config/config.js';
import { serially } from '../serially.js';
import { JOBS_SCHEMA } from './job-schema.js';

/** A connection to the control database that is opened when it is needed, and again after it was lost. */
export class ControlDatabase {
  readonly #config: Config;
  #opening: Promise<pg.Client> | null = null;

  constructor(config: Config) {
    this.#config = config;
  }

  /** One statement. @throws what the driver throws; a lost connection is opened anew by the next one */
  async query<R extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<pg.QueryResult<R>> {
    const opening = this.#opening ?? this.#open();
    this.#opening = opening;
    try {
      const client = await opening;
      return await serially(client, () => client.query<R>(sql, [...values]));
    } catch (error) {
      // What the server answers leaves the connection as it is; of anything else nothing is known.
      if (!(error instanceof pg.DatabaseError) || error.severity === 'FATAL') this.#forget(opening);
      throw error;
    }
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = null;
    const client = await opening?.catch(() => null);
    await client?.end().catch(() => {});
  }

  #forget(opening: Promise<pg.Client>): void {
    if (this.#opening === opening) this.#opening = null;
    opening.then((client) => client.end()).catch(() => {});
  }

  async #open(): Promise<pg.Client> {
    const client = await connectPg(this.#config, this.#config.control, 'pgfig jobs');
    try {
      await client.query('SET search_path = pg_catalog');
      await ensureSchemaPart(client, JOBS_SCHEMA);
      return client;
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
  }
}
