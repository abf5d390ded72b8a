import { PgfigError } from '../../../errors/pgfig-error.js';
import { ident } from '../../shape/table-shape.js';
import type { Side } from './server-problems.js';

interface Row {
  /** 'SCHEMA pgfig', 'TABLE pgfig.outbox'. */
  readonly object: string;
  /** Null: it is open to everybody. */
  readonly owner: string | null;
  readonly me: string;
}

/**
 * What of schema pgfig is not our own. Whoever owns a table may put a trigger on it, and a function's owner may replace
 * it: what was prepared there would run with the rights of pgfig's user. A member of the owner trusts it; a superuser is
 * a member of every role by that alone, which says nothing, so membership is looked for in the catalog. What belongs to
 * a superuser is no trap for another: it needs none.
 */
const FOREIGN = `
WITH RECURSIVE mine (oid) AS (
  SELECT oid FROM pg_roles WHERE rolname = current_user
  UNION SELECT m.roleid FROM pg_auth_members m JOIN mine ON m.member = mine.oid
), things (object, owner, rank) AS (
  SELECT 'SCHEMA pgfig', nspowner, 0 FROM pg_namespace WHERE nspname = 'pgfig'
  UNION ALL
  SELECT format('%s pgfig.%I', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                                            WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, relname), relowner, 1
    FROM pg_class WHERE relnamespace = to_regnamespace('pgfig') AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  UNION ALL
  SELECT format('FUNCTION pgfig.%I(%s)', proname, pg_get_function_identity_arguments(oid)), proowner, 2
    FROM pg_proc WHERE pronamespace = to_regnamespace('pgfig')
)
SELECT t.object, pg_get_userbyid(t.owner)::text AS owner, current_user::text AS me, t.rank
  FROM things t
 WHERE NOT t.owner IN (SELECT oid FROM mine)
   AND NOT ((SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
            AND coalesce((SELECT rolsuper FROM pg_roles WHERE oid = t.owner), false))
 UNION ALL
SELECT DISTINCT 'SCHEMA pgfig', NULL, current_user::text, 3
  FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) a WHERE n.nspname = 'pgfig' AND a.grantee = 0
 ORDER BY rank, object`;

async function ownershipProblems({ client, name }: Side): Promise<readonly string[]> {
  const { rows } = await client.query<Row>(FOREIGN);
  return rows.map(({ object, owner, me }) =>
    owner === null
      ? `database ${name}: schema pgfig is open to everybody, who could have its functions run on tables of their own. A DBA runs: REVOKE ALL ON SCHEMA pgfig FROM PUBLIC`
      : `database ${name}: ${object} belongs to ${owner}, who could have pgfig's user run anything. If pgfig has made it under another user, a DBA runs: ALTER ${object} OWNER TO ${ident(me)}; else find out what it is, and drop it`,
  );
}

/**
 * To be called before anything of schema pgfig is read or written: a view there may be a trap. Reads catalogs alone,
 * with one query a side, as the user that has logged in: before SET ROLE.
 * @throws PgfigError MIRROR_REFUSED with every reason; what the driver throws
 */
export async function refuseForeignSchema(...sides: readonly Side[]): Promise<void> {
  const problems: string[] = [];
  for (const side of sides) problems.push(...(await ownershipProblems(side)));
  if (problems.length === 0) return;
  throw new PgfigError(
    'MIRROR_REFUSED',
    `schema pgfig is not pgfig's own, and nothing of it was read or changed:\n${problems.map((text) => `  ${text}.`).join('\n')}`,
  );
}

/** What is no obstacle, and better otherwise; '' where nothing is. @throws what the driver throws */
export async function loginWarning({ client, name }: Side): Promise<string> {
  const { rows } = await client.query<{ me: string; superuser: boolean }>(
    'SELECT rolname::text AS me, rolsuper AS superuser FROM pg_roles WHERE rolname = current_user',
  );
  if (rows[0]?.superuser !== true) return '';
  return (
    `database ${name}: pgfig's user ${rows[0].me} is a superuser. Functions in CHECK constraints, indexes and generated ` +
    "columns of a mirrored table run in its sessions, and the table's owner can write them. Give it a login of its own " +
    'with the privileges named in docs/mirror-install.md'
  );
}
