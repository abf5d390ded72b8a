import type pg from 'pg';

/**
 * Statements that a connection has prepared, by their text: planning is most of what a turn of a few keys would cost
 * the servers (the look at the catalog 0.7 ms, of which 0.5 are planning).
 *
 * Called by EXECUTE, so that many of them go in one message.
 */
export class Prepared {
  readonly #client: pg.Client;
  readonly #names = new Map<string, string>();
  #made = 0;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  /** Those of a connection, which has them as long as it lives. */
  static of(client: pg.Client): Prepared {
    const known = CONNECTIONS.get(client);
    if (known !== undefined) return known;
    const made = new Prepared(client);
    CONNECTIONS.set(client, made);
    return made;
  }

  /**
   * Prepares what is not prepared yet. Tables named in the texts have to be there.
   * @param parameters types, as `text[]`
   * @returns the names, in order
   * @throws what the driver throws
   */
  async names(texts: readonly string[], parameters: readonly string[] = []): Promise<string[]> {
    const missing = texts.filter((text) => !this.#names.has(text));
    if (this.#names.size + missing.length > MOST) return this.#anew(texts, parameters);
    const types = parameters.length === 0 ? '' : ` (${parameters.join(', ')})`;
    const made = new Map(missing.map((text) => [text, `pgfig_${++this.#made}`]));
    if (made.size > 0) {
      await this.#client.query([...made].map(([text, name]) => `PREPARE ${name}${types} AS ${text}`).join(';\n'));
      for (const [text, name] of made) this.#names.set(text, name);
    }
    return texts.map((text) => this.#names.get(text) ?? '');
  }

  /** After an error: a result of a type that was dropped and made anew is refused for ever ("must not change"). */
  async forget(): Promise<void> {
    this.#names.clear();
    await this.#client.query('DEALLOCATE ALL');
  }

  async #anew(texts: readonly string[], parameters: readonly string[]): Promise<string[]> {
    await this.forget();
    if (texts.length > MOST) throw new RangeError(`${texts.length} statements at once`);
    return this.names(texts, parameters);
  }
}

const CONNECTIONS = new WeakMap<pg.Client, Prepared>();
/** Texts change with the tables' definitions; old ones go when there are so many. */
const MOST = 1_000;

/**
 * For the rest of a transaction: plans that were made once. Else the server compares the cost of its guess of 10 keys
 * with that of one, and plans anew each time.
 */
export const GENERIC_PLANS = 'SET LOCAL plan_cache_mode = force_generic_plan';
