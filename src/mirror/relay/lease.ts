import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Config } from '../../config/config.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { readIdentity } from '../capture/source-identity.js';
import type { Mirror } from '../mirror.js';
import { closeAtOnce, openSource, openTarget } from './connections.js';
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

/**
 * Tries to become the relay of a domain. The lock, which the server gives up with the connection, only elects; that
 * nothing of an earlier relay is applied any more is the token's work, in the transaction of each turn.
 *
 * @throws PgfigError MIRROR_REFUSED when the copy is registered for another source; what the driver throws
 */
export async function elect(config: Config, mirror: Mirror): Promise<Election> {
  const source = await openSource(config, mirror);
  let target: pg.Client | null = null;
  try {
    target = await openTarget(config, mirror);
    const known = await relayRow(target, mirror.domain);
    if (known === null) return close(source, target, { type: 'not-installed' });
    await checkSource(source.client, mirror, known);
    const { rows } = await source.client.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS got', [
      RELAY_LOCK,
      known.mirror,
    ]);
    if (rows[0]?.got !== true) return close(source, target, { type: 'follows' });
    const owner = randomUUID();
    const row = await takeOwnership(target, mirror.domain, owner);
    if (row === null) return close(source, target, { type: 'not-installed' });
    return { type: 'leads', lead: { source, target, owner, row } };
  } catch (error) {
    closeAtOnce(source.client);
    if (target !== null) closeAtOnce(target);
    throw error;
  }
}

function close(source: SourceSide, target: pg.Client, election: Election): Election {
  closeAtOnce(source.client);
  closeAtOnce(target);
  return election;
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
