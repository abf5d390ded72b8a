import type pg from 'pg';

/**
 * Names a feed for the broker, which fences by it: the same in every instance of a fleet, and another one for another
 * server or database whose rules have the same names.
 * @throws what the driver throws
 */
export async function ownerName(client: pg.ClientBase, kind: 'changes' | 'outbox', domain: string): Promise<string> {
  const { rows } = await client.query<{ system: string; database: string }>(
    `SELECT (SELECT system_identifier FROM pg_control_system())::text AS system,
            (SELECT oid FROM pg_database WHERE datname = current_database())::int8::text AS database`,
  );
  const [row] = rows;
  return `${kind}.${domain}.${row?.system}.${row?.database}`;
}
