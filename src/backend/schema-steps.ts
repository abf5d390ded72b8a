import type pg from 'pg';

/** Any number that nothing else of pgfig's locks: instances that start at once make the schema one after the other. */
export const SCHEMA_LOCK = 7_064_667_101;
/** No table of users is touched; what else may hold these locks is a second pgfig. */
export const LOCK_TIMEOUT = '2s';

const SCHEMA = 'CREATE SCHEMA IF NOT EXISTS pgfig;';
/** The version of each part of the schema. */
const BASE = `
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
  [SCHEMA, BASE, ...steps, versionSql(part, steps.length)].join('\n');

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
      // IF NOT EXISTS wants CREATE on the database also where the schema is there.
      const schema = (await hasSchema(client)) ? [] : [SCHEMA];
      const steps = [...schema, BASE, ...part.steps.slice(done), versionSql(part.part, part.steps.length)];
      await client.query(steps.join('\n'));
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
  if (!(await hasOwnTable(client, 'schema_version'))) return 0;
  const found = await client.query<{ version: number }>('SELECT version FROM pgfig.schema_version WHERE part = $1', [
    part,
  ]);
  return found.rows[0]?.version ?? 0;
}

/**
 * Whether schema pgfig has that table. Not by to_regclass, which within a transaction answers from a cache that does
 * not know what was committed while an advisory lock was waited for.
 */
export async function hasOwnTable(client: pg.ClientBase, table: string): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                     WHERE n.nspname = 'pgfig' AND c.relname = $1) AS there`,
    [table],
  );
  return rows[0]?.there === true;
}

async function hasSchema(client: pg.ClientBase): Promise<boolean> {
  const { rowCount } = await client.query("SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'pgfig'");
  return rowCount === 1;
}

const versionSql = (part: string, version: number): string =>
  `INSERT INTO pgfig.schema_version VALUES ('${part}', ${version})
     ON CONFLICT (part) DO UPDATE SET version = EXCLUDED.version;`;
