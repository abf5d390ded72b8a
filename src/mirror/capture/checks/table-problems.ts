import type pg from 'pg';
import { hasOwnTable } from '../../../backend/schema-steps.js';
import { copiedColumns, type TableShape } from '../../shape/table-shape.js';

/** A table of the rule, or one of its partitions. */
interface MemberRow {
  /** The table of the rule. */
  readonly table: string;
  /** It, or the partition. */
  readonly member: string;
  readonly kind: string;
  readonly persistence: string;
}

const KINDS: Readonly<Record<string, string>> = {
  v: 'a view',
  m: 'a materialized view',
  f: 'a foreign table',
};

/** What is no plain, logged table, on either side: a crash empties an unlogged copy, and its position would not know. */
export async function kindProblems(
  { client, name }: { readonly client: pg.ClientBase; readonly name: string },
  tables: readonly string[],
  shapes: ReadonlyMap<string, TableShape>,
): Promise<readonly string[]> {
  const { rows } = await client.query<MemberRow>(
    `SELECT r.name AS "table", n.nspname || '.' || c.relname AS member, c.relkind::text AS kind, c.relpersistence::text AS persistence
       FROM unnest($1::text[], $2::int8[]) AS r (name, oid)
       CROSS JOIN LATERAL (SELECT r.oid::oid AS oid UNION SELECT relid::oid FROM pg_partition_tree(r.oid::oid::regclass)) m
       JOIN pg_class c ON c.oid = m.oid JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 1, 2`,
    [[...shapes.keys()], [...shapes.values()].map(({ oid }) => oid)],
  );
  const problems = tables
    .filter((table) => !shapes.has(table))
    .map((table) => `table ${table} in ${name}: there is none. Create it there, or take it out of the rule`);
  for (const { table, member, kind, persistence } of rows) {
    const what = member === table ? `table ${table} in ${name}:` : `table ${table} in ${name}: its partition ${member}`;
    const other = KINDS[kind];
    if (other !== undefined) problems.push(`${what} is ${other}, and no table`);
    else if (persistence === 'u')
      problems.push(`${what} is unlogged: a crash empties it. ALTER TABLE ${member} SET LOGGED`);
    else if (persistence === 't') problems.push(`${what} is temporary`);
  }
  for (const { name: table, children } of shapes.values()) {
    if (children.length > 0) {
      problems.push(
        `table ${table} in ${name}: ${children.join(', ')} inherit from it; their rows would be told apart by nothing. Make it a partitioned table, or end the inheritance`,
      );
    }
  }
  return problems;
}

/** What of the source's tables cannot be captured. @throws what the driver throws */
export async function captureProblems(
  { client, name }: { readonly client: pg.ClientBase; readonly name: string },
  domain: string,
  shapes: ReadonlyMap<string, TableShape>,
): Promise<readonly string[]> {
  const keyless = [...shapes.values()]
    .filter(({ kind, key }) => kind !== 'other' && key === null)
    .map(
      ({ name: table, keyProblem }) =>
        `table ${table} in ${name}: no key tells its rows apart (${keyProblem}). Give it a primary key, or a unique index over NOT NULL columns`,
    );
  if (!(await hasOwnTable(client, 'captured'))) return keyless;
  const { rows } = await client.query<{ table: string; domain: string; recorded: boolean }>(
    `SELECT c.table_name AS "table", m.domain, to_regproc('pgfig.capture_' || c.table_oid) IS NOT NULL AS recorded FROM pgfig.captured c JOIN pgfig.mirrors m ON m.id = c.mirror
      WHERE c.table_oid = ANY ($1::int8[]::oid[]) AND m.domain <> $2 ORDER BY 1`,
    [[...shapes.values()].map(({ oid }) => oid), domain],
  );
  return [...keyless, ...rows.map((row) => `table ${row.table} in ${name}: ${elsewhere(row)}`)];
}

const elsewhere = ({ domain, recorded }: { readonly domain: string; readonly recorded: boolean }): string =>
  recorded
    ? `it is captured for domain ${domain}. Run pgfig mirror install ${domain} if it has left that domain, or pgfig mirror remove ${domain}`
    : `it has left domain ${domain}, whose change feed has yet to send what was recorded of it: pgfig relay status ${domain} shows how it goes. Then run pgfig mirror install ${domain}, or leave that to a running pgfig`;

/** Whether rows of the source's table can be put in place by key: basic; what constraints and indexes say is not read. */
export function fitProblems(source: TableShape, target: TableShape, name: string): readonly string[] {
  const what = `table ${source.name} in ${name}:`;
  const problems: string[] = [];
  const keyOf = ({ key }: TableShape): string => (key ?? []).map((column) => column.name).join(', ');
  if (source.key !== null && keyOf(target) !== keyOf(source)) {
    const has = target.key === null ? `no usable key (${target.keyProblem})` : `the key (${keyOf(target)})`;
    problems.push(`${what} it has ${has}, and the source (${keyOf(source)}). Give it the same`);
  }
  const there = new Map(copiedColumns(target).map((column) => [column.name, column]));
  for (const { name: column, type } of copiedColumns(source)) {
    const found = there.get(column);
    if (found === undefined) problems.push(`${what} it lacks column ${column} (${type}), or computes it`);
    else if (found.type !== type) problems.push(`${what} column ${column} is ${found.type}, and ${type} in the source`);
    there.delete(column);
  }
  for (const column of there.values()) {
    if (column.notNull && column.default === '' && column.identity === '') {
      problems.push(`${what} column ${column.name} is not in the source, and must not be NULL. Give it a default`);
    }
  }
  return problems;
}
