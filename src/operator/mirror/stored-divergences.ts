import type { Logger } from 'pino';
import type { Config } from '../../config/config.js';
import { ControlDatabase } from '../../jobs/store/control-database.js';
import type { StatementDivergence } from '../../session/mirror/divergence.js';
import { errorFields } from '../log/logger.js';
import type { DivergenceSink } from './divergence-sink.js';

const INTERVAL_MS = 1_000;
const RETRY_MS = 10_000;
/** Kinds that wait while the control database is down; further ones are in the log and the metric alone. */
const MOST_WAITING = 1_000;
const MOST_KEYS = 100;

/** Equal statements of one reason are one open row, counted. */
const COUNT = `
UPDATE pgfig.divergences SET detail = detail || jsonb_build_object(
         'count', (detail ->> 'count')::int8 + $5, 'last', $6::text, 'why', $7::text, 'sqlstate', $8::text,
         'keys', (SELECT coalesce(jsonb_agg(k), '[]') FROM (
            SELECT DISTINCT k FROM jsonb_array_elements(detail -> 'keys' || $9::jsonb) k LIMIT ${MOST_KEYS}) s))
 WHERE domain = $1 AND table_name = $2 AND kind = 'statement' AND state = 'open'
   AND detail ->> 'fingerprint' = $3 AND detail ->> 'reason' = $4`;
const INSERT = `
INSERT INTO pgfig.divergences (domain, table_name, kind, detail) VALUES ($1, $2, 'statement', jsonb_build_object(
  'fingerprint', $3::text, 'reason', $4::text, 'count', $5::int8, 'last', $6::text, 'why', $7::text,
  'sqlstate', $8::text, 'keys', $9::jsonb))`;

/** Keeps what statement mirrors found missing in the control database, a moment later; never more than there is room for. */
export class StoredDivergences implements DivergenceSink {
  readonly #control: ControlDatabase;
  readonly #log: Logger;
  readonly #waiting = new Map<string, StatementDivergence>();
  #timer: NodeJS.Timeout | null = null;
  #storing: Promise<void> | null = null;

  constructor(config: Config, log: Logger) {
    this.#control = new ControlDatabase(config);
    this.#log = log;
  }

  record(found: StatementDivergence): void {
    const key = [found.domain, found.table, found.fingerprint, found.reason].join('\n');
    const known = this.#waiting.get(key);
    if (known === undefined && this.#waiting.size >= MOST_WAITING) return;
    const keys = [...new Set([...(known?.keys ?? []), ...found.keys])].slice(0, MOST_KEYS);
    this.#waiting.set(key, { ...found, keys, count: found.count + (known?.count ?? 0) });
    this.#schedule(INTERVAL_MS);
  }

  /** Stores what waits, as far as the control database takes it. */
  async close(): Promise<void> {
    clearTimeout(this.#timer ?? undefined);
    await this.#storing;
    await this.#store();
    clearTimeout(this.#timer ?? undefined);
    await this.#control.close();
  }

  #schedule(wait: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#storing ??= this.#store().finally(() => {
        this.#storing = null;
      });
    }, wait).unref();
  }

  async #store(): Promise<void> {
    for (const [key, one] of [...this.#waiting]) {
      this.#waiting.delete(key);
      try {
        await this.#storeOne(one);
      } catch (error) {
        this.record(one);
        clearTimeout(this.#timer ?? undefined);
        this.#timer = null;
        this.#schedule(RETRY_MS);
        this.#log.warn(errorFields(error), 'divergences cannot be stored now; they are tried again');
        return;
      }
    }
  }

  /** One process stores them, so that between the two nobody comes. */
  async #storeOne({ domain, table, fingerprint, reason, ...rest }: StatementDivergence): Promise<void> {
    const { count, at, why, sqlstate, keys } = rest;
    const last = new Date(at).toISOString();
    const values = [domain, table ?? '', fingerprint, reason, count, last, why, sqlstate, JSON.stringify(keys)];
    const { rowCount } = await this.#control.query(COUNT, values);
    if (rowCount === 0) await this.#control.query(INSERT, values);
  }
}
