import type { TestPostgres } from '../../../test/support/postgres.js';

/** Rows of about 100 bytes; `--index on` gives them a secondary index. */
export const schemaOf = (table: string, index = false): string =>
  `CREATE TABLE ${table} (id bigint PRIMARY KEY, customer int NOT NULL, amount numeric(12,2) NOT NULL,
     note text NOT NULL, at timestamptz NOT NULL);
   ${index ? `CREATE INDEX ON ${table} (customer, at);` : ''}`;

const row = (id: string): string =>
  `${id}, (${id} % 5000)::int, ${id} / 100.0, rpad(md5((${id})::text), 48, 'x'), timestamptz '2026-01-01' + ${id} * interval '1 s'`;

/** The same rows on both sides, as a backfill leaves them. */
export async function fill(server: TestPostgres, dbname: string, table: string, rows: number): Promise<void> {
  await server.query(`INSERT INTO ${table} SELECT ${row('i')} FROM generate_series(0::bigint, ${rows - 1}) i`, dbname);
  await server.query(`VACUUM ANALYZE ${table}`, dbname);
}

export interface BacklogOptions {
  readonly table: string;
  /** Rows that the table has. */
  readonly rows: number;
  /** About how many changes are to wait. */
  readonly changes: number;
  /** Changes of one transaction. */
  readonly perTransaction?: number;
}

/** Coprime with every number of rows that is made of 2 and 5: keys are scattered, and each comes once in `rows`. */
const SCATTER = 6_180_339;
const HOT = 100;

/**
 * Lets changes wait. Of each 20: 12 rows are updated whose keys lie scattered and are distinct as long as the table's
 * rows last, 4 are inserted, 2 deleted, and 2 are updates of 100 hot rows.
 */
export async function makeBacklog(server: TestPostgres, dbname: string, options: BacklogOptions): Promise<number> {
  const { table, rows, changes, perTransaction = 200 } = options;
  const units = Math.max(1, Math.round(perTransaction / 20));
  const scattered = (from: string, count: number): string =>
    `ANY (ARRAY(SELECT ((${from} + i) * ${SCATTER}) % ${rows} FROM generate_series(0, ${count - 1}) i))`;
  const transactions = Math.ceil(changes / (units * 20));
  await server.query(
    `DO $$
     DECLARE u bigint := 0; d bigint := ${rows - units * 2}; n bigint := ${rows};
     BEGIN
       FOR turn IN 1 .. ${transactions} LOOP
         UPDATE ${table} SET amount = amount + 1, at = at + interval '1 s' WHERE id = ${scattered('u', units * 12)};
         INSERT INTO ${table} SELECT ${row('i')} FROM generate_series(n, n + ${units * 4 - 1}) i;
         DELETE FROM ${table} WHERE id = ${scattered('d', units * 2)};
         UPDATE ${table} SET amount = amount + 1 WHERE id = ANY (ARRAY(SELECT ((turn * 7 + i) % ${HOT}) FROM generate_series(1, ${units * 2}) i));
         u := u + ${units * 12}; n := n + ${units * 4}; d := d - ${units * 2};
         COMMIT;
       END LOOP;
     END $$`,
    dbname,
  );
  const { rows: counted } = await server.query<{ count: number }>('SELECT count(*)::int4 FROM pgfig.outbox', dbname);
  return counted[0]?.count ?? 0;
}
