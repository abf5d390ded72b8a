import type { Access } from '../../matrix/matrix.js';
import type { CatalogView } from '../../routing/catalog-view.js';
import { parseTableName, tableKey } from '../../rules/table-name.js';
import type { SeenTable } from '../planned-text.js';
import type { AuditLine } from './pgaudit.js';

/** What a line's class says of the table that it names; of other classes the statement's text says it. */
const ACCESS: Readonly<Record<string, Access>> = { READ: 'read', WRITE: 'write', DDL: 'ddl' };

/** Types of objects that have rows; indexes, sequences and functions are part of something else. */
const WITH_ROWS: ReadonlySet<string> = new Set([
  'TABLE',
  'VIEW',
  'MATERIALIZED VIEW',
  'FOREIGN TABLE',
  'PARTITIONED TABLE',
]);

/** The table that a line of pgaudit names; null where it names none that counts. */
export function auditedTable(line: AuditLine, catalog: CatalogView | null, database: string): SeenTable | null {
  const access = ACCESS[line.class];
  if (access === undefined || !WITH_ROWS.has(line.objectType)) return null;
  const name = parseTableName(line.objectName);
  // System catalogs, temporary tables, and what is no name.
  if (typeof name === 'string') return null;
  return {
    table: wholeOf(name, catalog, database),
    access,
    named: line.substatementId === 1,
    view: line.objectType.endsWith('VIEW'),
  };
}

/** A partition stands for its table. */
function wholeOf(
  name: { readonly schema: string; readonly name: string },
  catalog: CatalogView | null,
  database: string,
): string {
  const parent = catalog?.relation?.(database, name.schema, name.name)?.parents[0];
  const isPartition =
    parent !== undefined && catalog?.relation?.(database, parent.schema, parent.name)?.kind === 'partitioned';
  return isPartition ? wholeOf(parent, catalog, database) : tableKey(name.schema, name.name);
}
