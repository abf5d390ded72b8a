import type pg from 'pg';

/** A sequence that gives a column its values: by identity, serial, or a default that calls nextval. */
export interface ColumnSequence {
  /** 'schema.table' */
  readonly table: string;
  readonly column: string;
  /** Quoted, with its schema. */
  readonly sequence: string;
}

const SEQUENCES = `
SELECT tn.nspname || '.' || t.relname AS "table", a.attname AS "column", format('%I.%I', sn.nspname, s.relname) AS sequence
  FROM pg_class t JOIN pg_namespace tn ON tn.oid = t.relnamespace
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
  JOIN pg_depend p ON (p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass)
                   OR (p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass AND p.refobjid = t.oid
                       AND p.refobjsubid = a.attnum AND p.deptype IN ('a', 'i'))
  JOIN pg_class s ON s.oid = CASE p.refobjid WHEN t.oid THEN p.objid ELSE p.refobjid END AND s.relkind = 'S'
  JOIN pg_namespace sn ON sn.oid = s.relnamespace
 WHERE tn.nspname || '.' || t.relname = ANY ($1::text[])
 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`;

/** @throws what the driver throws */
export async function readSequences(client: pg.ClientBase, tables: readonly string[]): Promise<ColumnSequence[]> {
  return (await client.query<ColumnSequence>(SEQUENCES, [tables])).rows;
}

/** Columns that have a sequence in the source only: as text, with what to do. */
export function missingSequences(source: readonly ColumnSequence[], target: readonly ColumnSequence[]): string[] {
  return source
    .filter(({ table, column }) => !target.some((other) => other.table === table && other.column === column))
    .map(
      ({ table, column, sequence }) =>
        `${table}: column ${column} has its values from the sequence ${sequence} in the source, and from none in the target. Create one and use it there`,
    );
}

/** Values beyond the source's last that stay free, times the increment: blocks that sessions have cached, and some. */
const MARGIN = 1_000n;

const STATE = (sequence: string): string => `
SELECT q.last_value::text AS last, q.is_called AS called, s.seqincrement::text AS increment, s.seqcache::text AS cache,
       s.seqmin::text AS least, s.seqmax::text AS most
  FROM ${sequence} q, pg_sequence s WHERE s.seqrelid = '${sequence.replaceAll("'", "''")}'::regclass`;

interface SequenceState {
  readonly last: bigint;
  readonly increment: bigint;
  readonly cache: bigint;
  readonly least: bigint;
  readonly most: bigint;
}

async function stateOf(client: pg.ClientBase, sequence: string): Promise<SequenceState> {
  const { rows } = await client.query<Record<'last' | 'increment' | 'cache' | 'least' | 'most', string>>(
    STATE(sequence),
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`sequence ${sequence} is gone`);
  const { last, increment, cache, least, most } = row;
  return {
    ...{ last: BigInt(last), increment: BigInt(increment), cache: BigInt(cache) },
    ...{ least: BigInt(least), most: BigInt(most) },
  };
}

export interface SequenceSet {
  readonly sequence: string;
  readonly value: string;
}

/** Near its end a sequence has no margin to give: the target's must keep the values that are left in the source. */
function valueFor({ last, increment, cache }: SequenceState, { least, most }: SequenceState): bigint {
  for (const margin of [MARGIN, 0n]) {
    const value = last + increment * (cache + margin);
    if (value >= least && value <= most) return value;
  }
  return last < least ? least : last > most ? most : last;
}

/**
 * Sets the target's sequences past the source's, column by column; one that is further already stays as it is. The
 * source's go on while it is authoritative: a cutover sets them again.
 * @throws what the driver throws
 */
export async function advanceSequences(
  source: pg.ClientBase,
  target: pg.ClientBase,
  tables: readonly string[],
): Promise<SequenceSet[]> {
  const here = await readSequences(source, tables);
  const there = await readSequences(target, tables);
  const set: SequenceSet[] = [];
  for (const { table, column, sequence } of here) {
    for (const other of there.filter((one) => one.table === table && one.column === column)) {
      const [from, to] = [await stateOf(source, sequence), await stateOf(target, other.sequence)];
      const value = valueFor(from, to);
      if (from.increment > 0n ? value <= to.last : value >= to.last) continue;
      await target.query('SELECT setval($1::regclass, $2)', [other.sequence, value.toString()]);
      set.push({ sequence: other.sequence, value: value.toString() });
    }
  }
  return set;
}
