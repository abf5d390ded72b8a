import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Config } from '../../config/config.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { readIdentity } from '../capture/source-identity.js';
import type { Mirror } from '../mirror.js';
import { closeAtOnce, openSource, openTarget, RELAY_NAME } from './connections.js';
import type { RelayRow } from './relay-table.js';
import type { SourceSide } from './source-side.js';
import { readRelay, takeOwnership } from './target-store.js';

/** First key of the advisory lock on the source that elects the relay of a mirror. */
export const RELAY_LOCK = 706_466_711;

/** Both connections of the relay that leads, and the token by which the target knows it. */
export interface Lead {
  readonly source: SourceSide;
  readonly target: pg.Client;
  readonly owner: string;
  readonly row: RelayRow;
}

export type Election =
  | { readonly type: 'leads'; readonly lead: Lead }
  /** Another instance leads. */
  | { readonly type: 'follows' }
  | { readonly type: 'not-installed' };

/** A server that hangs in the middle of a try would keep the lock from all others. */
const LONGEST_TRY_MS = 15_000;
const CANDIDATE = ', candidate';
/** See Watchdog. */
const IDLE_MS = 120_000;

/**
 * Tries to become the relay of a domain, again and again on one connection to the source: a follower costs the monolith
 * no new session for each try, and the target nothing. The lock, which the server gives up with the connection, only
 * elects; that nothing of an earlier relay is applied any more is the token's work, in the transaction of each turn.
 *
 * @throws PgfigError MIRROR_REFUSED when the copy is registered for another source; what the driver throws
 */
export class Candidate {
  readonly #config: Config;
  readonly #mirror: Mirror;
  readonly #limit: number;
  #source: SourceSide | null = null;
  #target: pg.Client | null = null;
  /** pgfig.mirrors.id, as the target has it; null: not read yet. */
  #id: number | null = null;
  #closed = false;

  /** @param limit milliseconds that a try may take */
  constructor(config: Config, mirror: Mirror, limit = LONGEST_TRY_MS) {
    this.#config = config;
    this.#mirror = mirror;
    this.#limit = limit;
  }

  /** One try; after one that has thrown, no more can be made. @throws as the class says */
  async elect(): Promise<Election> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const text = `domain ${this.#mirror.domain}: an election took more than ${this.#limit / 1_000} s`;
      timer = setTimeout(() => reject(new Error(text)), this.#limit);
    });
    try {
      return await Promise.race([this.#try(), late]);
    } catch (error) {
      this.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** For good, whatever it is doing. */
  close(): void {
    this.#closed = true;
    this.#reset();
  }

  #reset(): void {
    if (this.#source !== null) closeAtOnce(this.#source.client);
    this.#source = null;
    this.#id = null;
    this.#dropTarget();
  }

  #dropTarget(): void {
    if (this.#target !== null) closeAtOnce(this.#target);
    this.#target = null;
  }

  async #try(): Promise<Election> {
    this.#id ??= (await this.#registered())?.mirror ?? null;
    this.#dropTarget();
    if (this.#id === null) return { type: 'not-installed' };
    const source = await this.#opened();
    const { rows } = await source.client.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS got', [
      RELAY_LOCK,
      this.#id,
    ]);
    if (rows[0]?.got !== true) return { type: 'follows' };
    return this.#won(source, this.#id);
  }

  /** The lock is this one's; what it is of may have been removed or installed anew since it was read. */
  async #won(source: SourceSide, id: number): Promise<Election> {
    const { domain } = this.#mirror;
    const known = await this.#registered();
    if (known === null || known.mirror !== id) {
      this.#reset();
      return { type: known === null ? 'not-installed' : 'follows' };
    }
    await checkSource(source.client, this.#mirror, known);
    const owner = randomUUID();
    const target = this.#target;
    const row = target === null ? null : await takeOwnership(target, domain, owner);
    if (target === null || row === null) {
      this.#reset();
      return { type: 'not-installed' };
    }
    await source.client.query("SELECT set_config('application_name', $1, false)", [`${RELAY_NAME} of ${domain}`]);
    if (this.#closed) throw this.#ended();
    // They are the leader's from now on.
    this.#source = null;
    this.#target = null;
    this.#id = null;
    return { type: 'leads', lead: { source, target, owner, row } };
  }

  async #opened(): Promise<SourceSide> {
    this.#source ??= await openSource(this.#config, this.#mirror, { does: CANDIDATE, idle: IDLE_MS });
    const source = this.#source;
    if (!this.#closed) return source;
    this.#reset();
    throw this.#ended();
  }

  #ended(): Error {
    return new Error(`domain ${this.#mirror.domain}: the election has ended`);
  }

  async #registered(): Promise<RelayRow | null> {
    this.#target ??= await openTarget(this.#config, this.#mirror);
    if (this.#closed) {
      this.#reset();
      throw this.#ended();
    }
    return relayRow(this.#target, this.#mirror.domain);
  }
}

async function relayRow(target: pg.ClientBase, domain: string): Promise<RelayRow | null> {
  const { rows } = await target.query<{ there: boolean }>("SELECT to_regclass('pgfig.relay') IS NOT NULL AS there");
  return rows[0]?.there === true ? readRelay(target, domain) : null;
}

/** A clone of the source has the same tables and outbox, and another life. */
async function checkSource(
  source: pg.ClientBase,
  { domain, target, source: name }: Mirror,
  row: RelayRow,
): Promise<void> {
  const { system, database, timeline } = await readIdentity(source);
  if (system === row.sourceSystem && database === row.sourceDatabase && timeline === row.sourceTimeline) return;
  throw new PgfigError(
    'MIRROR_REFUSED',
    `domain ${domain}: the copy in ${target} is of system ${row.sourceSystem}, database ${row.sourceDatabase}, timeline ` +
      `${row.sourceTimeline}, but database ${name} is now system ${system}, database ${database}, timeline ${timeline}`,
    {
      hint:
        'A restored or promoted server may lack commits that the copy has. Make sure that it is the right one, then ' +
        `pgfig mirror remove ${domain}, install and backfill again.`,
    },
  );
}
