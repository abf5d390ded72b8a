import type pg from 'pg';
import type { Config } from '../../config/config.js';
import { relaySession } from '../capture/relay-role.js';
import { type MirrorTimeouts, openMirrorClient } from '../connection.js';
import type { Mirror } from '../mirror.js';
import { SourceSide } from './source-side.js';

/** Names under which the relay shows in pg_stat_activity. */
export const RELAY_NAME = 'pgfig relay';

/**
 * The relay only ever waits to read. It gives up before the server looks for a deadlock (deadlock_timeout, 1 s), which
 * might take the monolith's transaction for the victim.
 */
const LOCK_MS = 500;

/** Keys are few against tables that are big: see SourceSide. */
const BY_INDEX = 'SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off';

/** What the relay does beside its turns. */
export const ASIDE: MirrorTimeouts = { statement: 30_000 };

/**
 * The server ends a transaction that is idle for so long, also when pgfig hangs: it keeps the monolith from vacuuming.
 * A backfill's chunk has nobody who keeps it awake while the target works: see Watchdog.
 */
const IDLE_MS = 600_000;

export interface SourceOptions extends MirrorTimeouts {
  /** Added to the name in pg_stat_activity. */
  readonly does?: string;
  /** Milliseconds that its transaction may be idle. */
  readonly idle?: number;
}

/** @throws what the driver throws */
export async function openSource(
  config: Config,
  mirror: Mirror,
  { does = '', idle = IDLE_MS, lock = LOCK_MS, ...timeouts }: SourceOptions = {},
): Promise<SourceSide> {
  const client = await openMirrorClient(config, mirror.source, `${RELAY_NAME} of ${mirror.domain}${does}`, {
    ...timeouts,
    lock,
  });
  try {
    await client.query(`SET idle_in_transaction_session_timeout = ${idle}`);
    const source = new SourceSide(client);
    await source.prepare();
    return source;
  } catch (error) {
    closeAtOnce(client);
    throw error;
  }
}

/** A connection to the target as the relay's role, which guards let pass. @throws what the driver throws */
export async function openTarget(config: Config, mirror: Mirror): Promise<pg.Client> {
  const client = await openMirrorClient(config, mirror.target, `${RELAY_NAME} of ${mirror.domain}`);
  try {
    await client.query(BY_INDEX);
    await relaySession(client);
    return client;
  } catch (error) {
    closeAtOnce(client);
    throw error;
  }
}

/** Whatever it is doing: its transaction is rolled back when the server notices. */
export function closeAtOnce(client: pg.Client): void {
  client.on('error', () => {});
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}
