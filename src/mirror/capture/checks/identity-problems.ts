import { registeredSource } from '../relay-rows.js';
import { readIdentity, sameDatabase } from '../source-identity.js';
import type { Side } from './server-problems.js';

/**
 * Whether source and target are two databases, and the source is the one that the copy is registered for. A clone, or
 * a standby that was promoted, may lack what the copy has.
 */
export async function identityProblems(domain: string, source: Side, target: Side): Promise<readonly string[]> {
  const [here, there] = [await readIdentity(source.client), await readIdentity(target.client)];
  if (sameDatabase(here, there)) {
    return [
      `database ${target.name}: it is the same database as ${source.name}, or a copy of its files (system ${here.system}, database ${here.database}). Name another in the rule`,
    ];
  }
  const registered = await registeredSource(target.client, domain);
  if (registered !== null && !sameDatabase(here, registered)) {
    const was = `system ${registered.system}, database ${registered.database}, timeline ${registered.timeline}`;
    const is = `system ${here.system}, database ${here.database}, timeline ${here.timeline}`;
    return [
      `database ${source.name}: the copy in ${target.name} is kept in step with another source (${was}) than this (${is}), such as one before a failover or restore, which may have had other rows. Run pgfig mirror remove ${domain}, install it again, and fill the copy again: pgfig backfill ${domain} --overwrite`,
    ];
  }
  if (here.system === there.system) {
    const { rows } = await target.client.query<{ captures: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                       WHERE p.pronamespace = to_regnamespace('pgfig') AND p.proname LIKE 'capture\\_%') AS captures`,
    );
    if (rows[0]?.captures === true) {
      return [
        `database ${target.name}: it was cloned from ${source.name} with pgfig's capture in it, which would record the relay's own rows. Run DROP SCHEMA pgfig CASCADE there`,
      ];
    }
  }
  return [];
}
