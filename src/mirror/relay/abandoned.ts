import { hasOwnTable } from '../../backend/schema-steps.js';
import type { Config } from '../../config/config.js';
import { findMirror } from '../capture/exclusively.js';
import { type MirrorSides, type Removed, removeMirror } from '../capture/remove.js';
import { openMirrorClient } from '../connection.js';
import { RELAY_LOCK } from './lease.js';

const NAME = 'pgfig mirrors left behind';

/** Domains that are captured in a database. @throws PgfigError UNKNOWN_DATABASE; what the driver throws */
export async function capturedDomains(config: Config, source: string): Promise<readonly string[]> {
  const client = await openMirrorClient(config, source, NAME);
  try {
    if (!(await hasOwnTable(client, 'mirrors'))) return [];
    const { rows } = await client.query<{ domain: string }>('SELECT domain FROM pgfig.mirrors ORDER BY domain');
    return rows.map(({ domain }) => domain);
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * Removes a mirror unless an instance leads its relay, by other rules than ours; meanwhile none begins to.
 * @returns null: somebody leads it
 * @throws as removeMirror
 */
export async function removeUnled(config: Config, sides: MirrorSides): Promise<Removed | null> {
  const client = await openMirrorClient(config, sides.source, NAME);
  try {
    const id = await findMirror(client, sides.domain);
    if (id === null) return { released: [], left: '' };
    const { rows } = await client.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS got', [
      RELAY_LOCK,
      id,
    ]);
    return rows[0]?.got === true ? await removeMirror(config, sides) : null;
  } finally {
    await client.end().catch(() => {});
  }
}
