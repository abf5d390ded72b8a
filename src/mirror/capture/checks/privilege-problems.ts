import { ident, type TableShape } from '../../shape/table-shape.js';
import { familyOf } from '../family.js';
import { RELAY_ROLE, roleFacts } from '../relay-role.js';
import type { Side } from './server-problems.js';

interface Facts {
  readonly me: string;
  readonly dbname: string;
  readonly schema: boolean;
  /** May make it, or things in it. */
  readonly mayCreate: boolean;
}

const FACTS = `
SELECT current_user::text AS me, current_database()::text AS dbname, to_regnamespace('pgfig') IS NOT NULL AS schema,
       CASE WHEN to_regnamespace('pgfig') IS NULL THEN has_database_privilege(current_database(), 'CREATE')
            ELSE has_schema_privilege(to_regnamespace('pgfig')::oid, 'CREATE') AND has_schema_privilege(to_regnamespace('pgfig')::oid, 'USAGE') END AS "mayCreate"`;

interface MemberRow {
  readonly table: string;
  readonly owner: string;
  readonly owned: boolean;
  readonly usable: boolean;
  readonly hides: boolean;
  readonly schema: string;
}

/** What either side lacks, each with the SQL that a DBA runs. @throws what the driver throws */
export async function privilegeProblems(side: Side, shapes: readonly TableShape[]): Promise<readonly string[]> {
  const { client, name } = side;
  const { rows } = await client.query<Facts>(FACTS);
  const [facts] = rows;
  if (facts === undefined) return [];
  const problems: string[] = [];
  const me = ident(facts.me);
  if (!facts.mayCreate) {
    const sql = facts.schema
      ? `GRANT USAGE, CREATE ON SCHEMA pgfig TO ${me}`
      : `CREATE SCHEMA pgfig AUTHORIZATION ${me}`;
    problems.push(`database ${name}: user ${facts.me} cannot create in schema pgfig. A DBA runs: ${sql}`);
  }
  const members = await membersOf(side, shapes);
  const owners = new Map(members.filter(({ owned }) => !owned).map((row) => [row.owner, row.table]));
  for (const [owner, table] of owners) {
    problems.push(
      `table ${table} in ${name}: user ${facts.me} is not its owner, who alone may set its triggers. A DBA runs: GRANT ${ident(owner)} TO ${me}`,
    );
  }
  for (const schema of new Set(members.filter(({ usable }) => !usable).map((row) => row.schema))) {
    problems.push(
      `database ${name}: user ${facts.me} may not use schema ${schema}. A DBA runs: GRANT USAGE ON SCHEMA ${ident(schema)} TO ${me}`,
    );
  }
  for (const { table } of members.filter(({ hides }) => hides)) {
    problems.push(
      `table ${table} in ${name}: row-level security hides rows from user ${facts.me}. A DBA runs: ALTER ROLE ${me} BYPASSRLS`,
    );
  }
  return problems;
}

async function membersOf({ client }: Side, shapes: readonly TableShape[]): Promise<readonly MemberRow[]> {
  const oids = (await familyOf(client, ...shapes)).map(({ oid }) => oid);
  const { rows } = await client.query<MemberRow>(
    `SELECT n.nspname || '.' || c.relname AS "table", pg_get_userbyid(c.relowner)::text AS owner, n.nspname::text AS schema,
            pg_has_role(c.relowner, 'USAGE') AS owned, has_schema_privilege(n.oid, 'USAGE') AS usable,
            row_security_active(c.oid) AS hides
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY ($1::int8[]::oid[]) ORDER BY 1 DESC`,
    [oids],
  );
  return rows;
}

/** What the relay's role lacks in the target that the user cannot give it. @throws what the driver throws */
export async function roleProblems(side: Side, shapes: readonly TableShape[]): Promise<readonly string[]> {
  const { client, name } = side;
  const role = await roleFacts(client);
  const who = ident(role.me);
  const problems: string[] = [];
  if (!role.there && !role.maker) {
    return [
      `database ${name}: there is no role ${RELAY_ROLE}, and user ${role.me} may not make one. A DBA runs: CREATE ROLE ${RELAY_ROLE} NOLOGIN BYPASSRLS; GRANT ${RELAY_ROLE} TO ${who}`,
    ];
  }
  if (role.there && !role.mine && !role.grants) {
    problems.push(
      `database ${name}: user ${role.me} may not SET ROLE ${RELAY_ROLE}. A DBA runs: GRANT ${RELAY_ROLE} TO ${who}`,
    );
  }
  if (!role.bypassesRls && !role.superuser) {
    for (const { name: table } of shapes.filter(({ rowSecurity }) => rowSecurity)) {
      problems.push(
        `table ${table} in ${name}: its row-level security would hide rows from the relay. A DBA runs: ${role.there ? '' : `CREATE ROLE ${RELAY_ROLE} NOLOGIN; GRANT ${RELAY_ROLE} TO ${who}; `}ALTER ROLE ${RELAY_ROLE} BYPASSRLS`,
      );
    }
  }
  const { rows } = await client.query<{ schemas: string[]; temp: boolean; dbname: string }>(
    `SELECT ARRAY(SELECT s FROM unnest($2::text[]) s WHERE NOT has_schema_privilege($1, s, 'USAGE')
                     AND NOT has_schema_privilege(s, 'USAGE WITH GRANT OPTION')) AS schemas,
            has_database_privilege($1, current_database(), 'TEMP')
              OR has_database_privilege(current_database(), 'TEMP WITH GRANT OPTION') AS temp, current_database()::text AS dbname`,
    [role.there ? RELAY_ROLE : 'public', [...new Set(shapes.map(({ schema }) => schema))]],
  );
  for (const schema of rows[0]?.schemas ?? []) {
    problems.push(
      `database ${name}: role ${RELAY_ROLE} needs schema ${schema}. A DBA runs: GRANT USAGE ON SCHEMA ${ident(schema)} TO ${who} WITH GRANT OPTION`,
    );
  }
  if (rows[0]?.temp === false) {
    problems.push(
      `database ${name}: role ${RELAY_ROLE} needs temporary tables. A DBA runs: GRANT TEMPORARY ON DATABASE ${ident(rows[0].dbname)} TO ${who} WITH GRANT OPTION`,
    );
  }
  return problems;
}
