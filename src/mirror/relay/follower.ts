import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Config } from '../../config/config.js';
import { openMirrorClient } from '../connection.js';
import type { Mirror } from '../mirror.js';
import { covers, parseSnapshot, type Snapshot } from '../position/snapshot.js';
import type { TurnOutcome } from '../turn-outcome.js';
import { ASIDE, closeAtOnce, RELAY_NAME } from './connections.js';

const POLL_MS = 2;
/** Every NOTIFY that commits takes a lock that all of the server's databases share. */
const NOTIFY_MS = 5;
/** Longer than any session waits; a group behind this one is not held up for ever by a relay that is gone. */
const DEADLINE_MS = 10_000;

/** Where the leader stands, as the target has it. */
const STANDS = `
SELECT r.position::text AS position, r.whole,
       (SELECT pg_catalog.bool_and(t.state = 'in-step' AND t.position IS NULL) FROM pgfig.relay_tables t
         WHERE t.domain = r.domain) AS "inStep",
       (SELECT pg_catalog.bool_and(t.state = 'in-step') FROM pgfig.relay_tables t WHERE t.domain = r.domain) AS copied
  FROM pgfig.relay r WHERE r.domain = $1`;

interface Stands {
  readonly position: string;
  readonly whole: boolean;
  readonly inStep: boolean;
  readonly copied: boolean;
}

/**
 * Waits for the turns of a relay that another instance runs: says on the source that somebody waits, and watches the
 * position in the target until it has all that was committed before. Those that come meanwhile wait together for the
 * next round.
 */
export class Follower {
  readonly #config: Config;
  readonly #mirror: Mirror;
  #source: pg.Client | null = null;
  #target: pg.Client | null = null;
  #next: Promise<TurnOutcome> | null = null;
  #round: Promise<unknown> = Promise.resolve();
  #notifiedAt = Number.NEGATIVE_INFINITY;

  constructor(config: Config, mirror: Mirror) {
    this.#config = config;
    this.#mirror = mirror;
  }

  /** Never rejects. */
  turnAfterNow(): Promise<TurnOutcome> {
    if (this.#next === null) {
      const next = this.#round.then(() => {
        // Who comes from now on may have committed after this round's snapshot.
        this.#next = null;
        return this.#wait().catch(() => this.#failed());
      });
      this.#next = next;
      this.#round = next;
    }
    return this.#next;
  }

  close(): void {
    for (const client of [this.#source, this.#target]) if (client !== null) closeAtOnce(client);
    this.#source = null;
    this.#target = null;
  }

  #failed(): TurnOutcome {
    this.close();
    return 'failed';
  }

  async #wait(): Promise<TurnOutcome> {
    const { domain, source, target } = this.#mirror;
    this.#source ??= await openMirrorClient(this.#config, source, `${RELAY_NAME} of ${domain}, following`, ASIDE);
    this.#target ??= await openMirrorClient(this.#config, target, `${RELAY_NAME} of ${domain}, following`, ASIDE);
    // Before the snapshot: who comes meanwhile is of the next round.
    const early = this.#notifiedAt + NOTIFY_MS - performance.now();
    if (early > 0) await sleep(early);
    const { rows } = await this.#source.query<{ position: string }>('SELECT pg_current_snapshot()::text AS position');
    const wanted = parseSnapshot(rows[0]?.position ?? '');
    this.#notifiedAt = performance.now();
    await this.#source.query('NOTIFY pgfig_poke');
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      const outcome = await this.#look(this.#target, wanted);
      if (outcome !== null) return outcome;
      if (performance.now() > deadline) return 'failed';
      await sleep(POLL_MS);
    }
  }

  async #look(target: pg.Client, wanted: Snapshot): Promise<TurnOutcome | null> {
    const { rows } = await target.query<Stands>(STANDS, [this.#mirror.domain]);
    const [stands] = rows;
    if (stands === undefined) return 'failed';
    if (!stands.copied) return 'stalled';
    return stands.inStep && stands.whole && covers(parseSnapshot(stands.position), wanted) ? 'applied' : null;
  }
}
