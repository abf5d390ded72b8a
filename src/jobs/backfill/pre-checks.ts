import type pg from 'pg';
import { PgfigError } from '../../errors/pgfig-error.js';
import type { Mirror } from '../../mirror/mirror.js';
import { compareShapes } from '../../mirror/shape/compare-shapes.js';
import { readDetails } from '../../mirror/shape/read-details.js';
import type { Finding } from '../../mirror/shape/shape-finding.js';
import { ident } from '../../mirror/shape/table-shape.js';
import { both } from '../verify/raw-rows.js';
import { missingSequences, readSequences } from './sequences.js';
import { loadProblem } from './source-load.js';

/** What differs between the tables of both sides. @throws what the driver throws */
export async function compareTables(
  source: pg.ClientBase,
  target: pg.ClientBase,
  tables: readonly string[],
): Promise<Finding[]> {
  const [here, there] = await both(readDetails(source, tables), readDetails(target, tables));
  return tables.flatMap((table) => compareShapes(table, here.get(table) ?? null, there.get(table) ?? null));
}

export interface BackfillNeeds {
  /** The target's tables must be. */
  readonly empty: boolean;
  /** The source's active sessions are to be counted. */
  readonly seesLoad: boolean;
}

/**
 * Everything that would stop a backfill on its way is found before its first row.
 * @throws PgfigError BACKFILL_REFUSED with all of it, one a line; what the driver throws
 */
export async function checkBeforeBackfill(
  source: pg.ClientBase,
  target: pg.ClientBase,
  mirror: Mirror,
  tables: readonly string[],
  { empty, seesLoad }: BackfillNeeds,
): Promise<void> {
  const findings = await compareTables(source, target, tables);
  const problems = findings
    .filter(({ severity }) => severity === 'problem')
    .map(({ table, text }) => `${table}: ${text}`);
  const blind = seesLoad ? await loadProblem(source, mirror.source) : null;
  if (blind !== null) problems.push(blind);
  if (problems.length === 0) {
    problems.push(...missingSequences(...(await both(readSequences(source, tables), readSequences(target, tables)))));
    if (empty) problems.push(...(await filled(target, tables)));
  }
  if (problems.length === 0) return;
  throw new PgfigError(
    'BACKFILL_REFUSED',
    `domain ${mirror.domain} cannot be copied to ${mirror.target} as it is:\n${problems.join('\n')}`,
  );
}

async function filled(target: pg.ClientBase, tables: readonly string[]): Promise<string[]> {
  const problems: string[] = [];
  for (const table of tables) {
    const at = table.indexOf('.');
    const name = `${ident(table.slice(0, at))}.${ident(table.slice(at + 1))}`;
    const { rows } = await target.query(`SELECT FROM ${name} LIMIT 1`);
    if (rows.length > 0)
      problems.push(`${table}: the target has rows. --resume goes on with what was begun, --overwrite replaces them`);
  }
  return problems;
}
