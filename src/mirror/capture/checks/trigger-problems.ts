import { ident, type TableShape } from '../../shape/table-shape.js';
import { familyOf } from '../family.js';
import { mayBeReplica } from '../relay-role.js';
import type { Side } from './server-problems.js';

interface Row {
  readonly table: string;
  readonly name: string;
  /** pg_trigger.tgenabled; 'f' for a foreign key. */
  readonly fires: string;
}

const FIRES = `
SELECT t.tgrelid::regclass::text AS "table", t.tgname::text AS name, t.tgenabled::text AS fires
  FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE t.tgrelid = ANY ($1::int8[]::oid[]) AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgparentid = 0
   AND p.pronamespace IS DISTINCT FROM to_regnamespace('pgfig')
UNION ALL
SELECT c.conrelid::regclass::text, c.conname::text, 'f'
  FROM pg_constraint c
 WHERE c.contype = 'f' AND c.conparentid = 0 AND (c.conrelid = ANY ($1::int8[]::oid[]) OR c.confrelid = ANY ($1::int8[]::oid[]))
 ORDER BY 1, 2`;

/**
 * What would fire on the relay's rows. It copies what the source's triggers and cascades have done already: a second
 * time would be once too often. session_replication_role = replica keeps them quiet, but not those that are ENABLE
 * ALWAYS or REPLICA.
 */
export async function triggerProblems(
  { client, name }: Side,
  shapes: readonly TableShape[],
): Promise<readonly string[]> {
  const oids = (await familyOf(client, ...shapes)).map(({ oid }) => oid);
  const { rows } = await client.query<Row>(FIRES, [oids]);
  const replica = await mayBeReplica(client);
  const problems = rows
    .filter(({ fires }) => fires === 'A' || fires === 'R')
    .map(
      ({ table, name: trigger }) =>
        `table ${table} in ${name}: its trigger ${trigger} would fire on the relay's rows. Run: ALTER TABLE ${table} ENABLE TRIGGER ${ident(trigger)}`,
    );
  const quiet = rows.filter(({ fires }) => fires === 'O' || fires === 'f');
  if (replica || quiet.length === 0) return problems;
  const list = quiet.map((row) => `${row.fires === 'f' ? 'foreign key' : 'trigger'} ${row.name} of ${row.table}`);
  return [
    ...problems,
    `database ${name}: ${list.join(', ')} would act on the relay's rows. ${await remedy({ client })}`,
  ];
}

async function remedy({ client }: Pick<Side, 'client'>): Promise<string> {
  const { rows } = await client.query<{ me: string; version: number }>(
    "SELECT current_user::text AS me, current_setting('server_version_num')::int4 AS version",
  );
  const me = rows[0]?.me ?? '';
  return (rows[0]?.version ?? 0) >= 150_000
    ? `A DBA runs: GRANT SET ON PARAMETER session_replication_role TO ${ident(me)}`
    : `Before PostgreSQL 15 only a superuser may keep them quiet: ALTER ROLE ${ident(me)} SUPERUSER; or drop them until the move`;
}
