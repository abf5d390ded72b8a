import type pg from 'pg';

/** Any number that nothing else of pgfig's locks: instances that start at once make the schema one after the other. */
export const SCHEMA_LOCK = 7_064_667_101;
/** No table of users is touched; what else may hold these locks is a second pgfig. */
const LOCK_TIMEOUT = '2s';

/** The schema itself, and the version of each part of it. */
const BASE = `
CREATE SCHEMA IF NOT EXISTS pgfig;
CREATE TABLE IF NOT EXISTS pgfig.schema_version (
  part    text PRIMARY KEY,
  version integer NOT NULL
);`;

/** What keeps a part of schema pgfig: version n is steps 1 to n; a step is never changed, what is new is a new one. */
export interface SchemaPart {
  readonly part: string;
  readonly steps: readonly string[];
}

/** The whole of a part, for operators who make it beforehand. */
export const schemaSql = ({ part, steps }: SchemaPart): string =>
  [BASE, ...steps, versionSql(part, steps.length)].join('\n');

/**
 * Makes what is missing of a part, in one transaction; nothing is locked where all is there.
 * @returns whether something was made
 * @throws what the driver throws, 42501 where it is not allowed to
 */
export async function ensureSchemaPart(client: pg.ClientBase, part: SchemaPart): Promise<boolean> {
  if ((await versionOf(client, part.part)) >= part.steps.length) return false;
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
    await client.query('SELECT pg_catalog.pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
    const done = await versionOf(client, part.part);
    if (done < part.steps.length) {
      await client.query([BASE, ...part.steps.slice(done), versionSql(part.part, part.steps.length)].join('\n'));
    }
    await client.query('COMMIT');
    return done < part.steps.length;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

/** How many steps of a part are done; 0: none. @throws what the driver throws */
export async function versionOf(client: pg.ClientBase, part: string): Promise<number> {
  const { rows } = await client.query<{ there: boolean }>(
    "SELECT pg_catalog.to_regclass('pgfig.schema_version') IS NOT NULL AS there",
  );
  if (rows[0]?.there !== true) return 0;
  const found = await client.query<{ version: number }>('SELECT version FROM pgfig.schema_version WHERE part = $1', [
    part,
  ]);
  return found.rows[0]?.version ?? 0;
}

const versionSql = (part: string, version: number): string =>
  `INSERT INTO pgfig.schema_version VALUES ('${part}', ${version})
     ON CONFLICT (part) DO UPDATE SET version = EXCLUDED.version;`;
