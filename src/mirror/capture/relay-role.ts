import type pg from 'pg';
import { readShapes } from '../shape/read-shapes.js';
import { ident, type TableShape } from '../shape/table-shape.js';
import { familyOf } from './family.js';
import { TAKE_TURN } from './relay-schema.js';

/** Whom the guards let pass. Nobody logs in as it; the relay takes it on. */
export const RELAY_ROLE = 'pgfig_relay';

/**
 * Makes a connection to the target the relay's: its rows pass the guards, and triggers and foreign keys of the target
 * do not fire where that may be said (superuser, or GRANT SET ON PARAMETER session_replication_role).
 * @returns whether they do not fire
 * @throws what the driver throws
 */
export async function relaySession(client: pg.ClientBase): Promise<{ readonly replica: boolean }> {
  const replica = await mayBeReplica(client);
  if (replica) await client.query('SET session_replication_role = replica');
  await client.query(`SET ROLE ${RELAY_ROLE}`);
  return { replica };
}

/** Whether the connection's user may set session_replication_role. */
export async function mayBeReplica(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ version: number; superuser: boolean }>(
    `SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version, r.rolsuper AS superuser
       FROM pg_catalog.pg_roles r WHERE r.rolname = current_user`,
  );
  const [facts] = rows;
  if (facts?.superuser === true) return true;
  if (facts === undefined || facts.version < 150_000) return false;
  const found = await client.query<{ may: boolean }>(
    "SELECT pg_catalog.has_parameter_privilege('session_replication_role', 'SET') AS may",
  );
  return found.rows[0]?.may === true;
}

export interface RoleFacts {
  /** The connection's user. */
  readonly me: string;
  readonly there: boolean;
  readonly bypassesRls: boolean;
  /** The user may take it on. */
  readonly mine: boolean;
  /** The user may give it to itself. */
  readonly grants: boolean;
  readonly superuser: boolean;
  /** The user may make it. */
  readonly maker: boolean;
}

/** Since 16 a member may be one without the right to SET ROLE, and CREATEROLE is no right to grant any role. */
const WITH_SET = 160_000;

/** What the relay's role is here, for the connection's user. @throws what the driver throws */
export async function roleFacts(client: pg.ClientBase): Promise<RoleFacts> {
  const { rows } = await client.query<RoleFacts & { version: number }>(
    `SELECT me.rolname::text AS me, role.oid IS NOT NULL AS there,
            coalesce(role.rolbypassrls OR role.rolsuper, false) AS "bypassesRls",
            role.oid IS NOT NULL AND pg_has_role(me.oid, role.oid, 'MEMBER') AS mine,
            me.rolsuper OR CASE WHEN current_setting('server_version_num')::int4 >= ${WITH_SET}
              THEN role.oid IS NOT NULL AND pg_has_role(me.oid, role.oid, 'MEMBER WITH ADMIN OPTION')
              ELSE me.rolcreaterole END AS grants,
            me.rolsuper AS superuser, me.rolsuper OR me.rolcreaterole AS maker,
            current_setting('server_version_num')::int4 AS version
       FROM pg_roles me LEFT JOIN pg_roles role ON role.rolname = $1
      WHERE me.rolname = current_user`,
    [RELAY_ROLE],
  );
  const [facts] = rows;
  if (facts === undefined) throw new Error('the user of the connection is no role');
  if (!facts.there || facts.superuser || facts.version < WITH_SET) return facts;
  const set = await client.query<{ may: boolean }>("SELECT pg_has_role($1, 'SET') AS may", [RELAY_ROLE]);
  return { ...facts, mine: set.rows[0]?.may === true };
}

/** Makes the role where it is missing, and the connection's user its member. @throws what the driver throws */
export async function ensureRelayRole(client: pg.ClientBase): Promise<void> {
  const { there, mine, superuser } = await roleFacts(client);
  // Another domain's install may make it at the same time.
  if (!there) {
    await client.query(`CREATE ROLE ${RELAY_ROLE} NOLOGIN${superuser ? ' BYPASSRLS' : ''}`).catch((error: unknown) => {
      if (!isCode(error, '42710') && !isCode(error, '23505')) throw error;
    });
  } else if (superuser) await client.query(`ALTER ROLE ${RELAY_ROLE} BYPASSRLS`);
  if (!mine && !superuser) await client.query(`GRANT ${RELAY_ROLE} TO CURRENT_USER`);
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

/** Gives the role what the relay needs on the target's tables, and nothing else. @throws what the driver throws */
export async function grantRelay(client: pg.ClientBase, shapes: readonly TableShape[]): Promise<void> {
  if (!(await hasBasics(client)))
    await client.query(
      `GRANT USAGE ON SCHEMA pgfig TO ${RELAY_ROLE};
     GRANT SELECT, UPDATE ON pgfig.relay, pgfig.relay_tables TO ${RELAY_ROLE};
     GRANT EXECUTE ON FUNCTION ${TAKE_TURN} TO ${RELAY_ROLE}`,
    );
  for (const sql of await missingGrants(client, shapes)) await client.query(sql);
}

/** An install looks every minute: a GRANT of what is there already would write to the catalog each time. */
async function hasBasics(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ has: boolean }>(
    `SELECT has_schema_privilege($1, 'pgfig', 'USAGE') AND has_function_privilege($1, $2, 'EXECUTE')
            AND bool_and(has_table_privilege($1, t, p)) AS has
       FROM unnest('{pgfig.relay,pgfig.relay_tables}'::text[]) t, unnest('{SELECT,UPDATE}'::text[]) p`,
    [RELAY_ROLE, TAKE_TURN],
  );
  return rows[0]?.has === true;
}

/** The GRANTs that the role still needs, each as SQL; partitions too, since one alone may be emptied. */
export async function missingGrants(client: pg.ClientBase, shapes: readonly TableShape[]): Promise<readonly string[]> {
  const tables = await familyOf(client, ...shapes);
  const { rows } = await client.query<{ table: string[]; schema: string[]; temp: boolean; dbname: string }>(
    `SELECT ARRAY(SELECT t.name FROM unnest($2::text[], $3::int8[]) AS t (name, oid)
                   WHERE NOT (SELECT pg_catalog.bool_and(pg_catalog.has_table_privilege($1, t.oid::oid, p))
                                FROM unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) p)) AS "table",
            ARRAY(SELECT s FROM unnest($4::text[]) s WHERE NOT pg_catalog.has_schema_privilege($1, s, 'USAGE')) AS schema,
            pg_catalog.has_database_privilege($1, pg_catalog.current_database(), 'TEMP') AS temp,
            pg_catalog.current_database() AS dbname`,
    [
      RELAY_ROLE,
      tables.map(({ table }) => table),
      tables.map(({ oid }) => oid),
      [...new Set(shapes.map(({ schema }) => schema))],
    ],
  );
  const [facts] = rows;
  if (facts === undefined) return [];
  return [
    ...facts.table.map((table) => `GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ${table} TO ${RELAY_ROLE}`),
    ...facts.schema.map((schema) => `GRANT USAGE ON SCHEMA ${ident(schema)} TO ${RELAY_ROLE}`),
    ...(facts.temp ? [] : [`GRANT TEMPORARY ON DATABASE ${ident(facts.dbname)} TO ${RELAY_ROLE}`]),
  ];
}

/** Takes from the role what it has on these tables and their partitions. Tables that are gone are left out. */
export async function revokeRelay(client: pg.ClientBase, tables: readonly string[]): Promise<void> {
  if (!(await roleFacts(client)).there) return;
  const shapes = [...(await readShapes(client, tables)).values()];
  for (const { table } of await familyOf(client, ...shapes))
    await client.query(`REVOKE ALL ON ${table} FROM ${RELAY_ROLE}`);
}

/**
 * Drops the role, with what it may do in this database, unless another database of the server uses it.
 * @returns what is left, and what to do about it; '' where nothing is
 */
export async function dropRelayRole(client: pg.ClientBase): Promise<string> {
  if (!(await roleFacts(client)).there) return '';
  const failed = await client
    .query(`DROP OWNED BY ${RELAY_ROLE}`)
    .then(() => client.query(`DROP ROLE ${RELAY_ROLE}`))
    .then(() => null)
    .catch((error: unknown) => error);
  // Privileges in another database: a copy is kept there, too.
  if (failed === null || isCode(failed, '2BP01')) return '';
  if (!isCode(failed, '42501')) throw failed;
  return `role ${RELAY_ROLE} is left: the user may not drop it. A DBA runs: DROP OWNED BY ${RELAY_ROLE}; DROP ROLE ${RELAY_ROLE}`;
}
