import type pg from 'pg';

/** One side of a mirror, and what it is called in messages. */
export interface Side {
  readonly client: pg.ClientBase;
  /** The database's name in pgfig.yaml. */
  readonly name: string;
}

export const OLDEST_SERVER = 130_000;

/** What keeps pgfig from writing to that server at all. @throws what the driver throws */
export async function serverProblems({ client, name }: Side): Promise<readonly string[]> {
  const { rows } = await client.query<{ version: number; shown: string; standby: boolean; readOnly: boolean }>(
    `SELECT current_setting('server_version_num')::int4 AS version, current_setting('server_version') AS shown,
            pg_is_in_recovery() AS standby,
            (SELECT s.reset_val = 'on' FROM pg_settings s WHERE s.name = 'default_transaction_read_only') AS "readOnly"`,
  );
  const [facts] = rows;
  if (facts === undefined) return [];
  return [
    ...(facts.version < OLDEST_SERVER
      ? [`database ${name}: it is PostgreSQL ${facts.shown}; pgfig mirrors with 13 and newer`]
      : []),
    ...(facts.standby ? [`database ${name}: it is a standby. Name its primary in pgfig.yaml`] : []),
    ...(facts.readOnly && !facts.standby
      ? [
          `database ${name}: default_transaction_read_only is on, so somebody wants nothing written there. Turn it off for the database, or for pgfig's user`,
        ]
      : []),
  ];
}
