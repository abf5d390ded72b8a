import type pg from 'pg';

/** A trigger that runs a function of schema pgfig. */
export interface OwnTrigger {
  readonly relation: number;
  /** Quoted: "schema"."table" */
  readonly table: string;
  readonly name: string;
  /** Of its function, within schema pgfig. */
  readonly runs: string;
  readonly always: boolean;
  /** Made by the server for a partition, from the trigger of the partitioned table; it goes with that. */
  readonly cloned: boolean;
  readonly args: readonly string[];
}

const TRIGGERS = `
SELECT t.tgrelid::int8::text AS relation, pg_catalog.format('%I.%I', n.nspname, c.relname) AS "table", t.tgname AS name,
       p.proname AS runs, t.tgenabled = 'A' AS always, t.tgparentid <> 0 AS cloned, pg_catalog.encode(t.tgargs, 'hex') AS args
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE p.pronamespace = pg_catalog.to_regnamespace('pgfig') AND p.proname = ANY ($1::text[])`;

/** The triggers that run these functions of schema pgfig. @throws what the driver throws */
export async function ownTriggers(client: pg.ClientBase, functions: readonly string[]): Promise<readonly OwnTrigger[]> {
  const { rows } = await client.query<Omit<OwnTrigger, 'relation' | 'args'> & { relation: string; args: string }>(
    TRIGGERS,
    [functions],
  );
  return rows.map((row) => ({ ...row, relation: Number(row.relation), args: argsOf(row.args) }));
}

/** Each argument ends with a zero byte. */
const argsOf = (hex: string): readonly string[] => Buffer.from(hex, 'hex').toString('utf8').split('\0').slice(0, -1);
