import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fold } from '../../src/sql/fold.js';
import { loadParser, type PlpgsqlParser } from '../../src/sql/parser.js';
import type { Statement, TableName } from '../../src/sql/statement.js';

/** Tests run from build/; the cases and the corpus stay where they are written. */
const HERE = join(import.meta.dirname, '../../../test/sql');

/** One parser for a test file: loading takes some 30 ms. */
export const parser: PlpgsqlParser = await loadParser();

export function readCaseFiles(): { readonly file: string; readonly text: string }[] {
  const folder = join(HERE, 'cases');
  return readdirSync(folder).map((file) => ({ file, text: readFileSync(join(folder, file), 'utf8') }));
}

/** The statements of corpus/*.sql, one a line. */
export function readCorpus(): string[] {
  const folder = join(HERE, 'corpus');
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'));
  return files.flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n')).filter((line) => line !== '');
}

/** The only statement of a text that must parse. */
export function parseOne(sql: string): Statement {
  const { statements, syntaxError } = parser.parse(sql);
  const [statement] = statements;
  if (syntaxError !== null || statement === undefined || statements.length > 1) {
    throw new Error(`not one statement: ${sql}: ${syntaxError ?? statements.length}`);
  }
  return statement;
}

/** `schema.name`, parts with blanks, dots or quotes in double quotes. */
export function nameOf(table: TableName): string {
  return [table.catalog, table.schema, table.name]
    .filter((part) => part !== undefined)
    .map((part) => (/^[^.\s"]+$/.test(part) ? part : `"${part}"`))
    .join('.');
}

/** The key of a text that lies amid others; null where it has none. */
export function foldText(sql: string, standardConformingStrings = true): string | null {
  const bytes = Buffer.from(`junk${sql}'"junk`);
  const key = fold(bytes, 4, bytes.length - 6, standardConformingStrings);
  return key === null ? null : Buffer.from(key, 'latin1').toString('utf8');
}
