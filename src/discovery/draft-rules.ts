import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Document, stringify } from 'yaml';
import { PgfigError } from '../errors/pgfig-error.js';
import { splitKey } from '../rules/table-name.js';
import type { Context, Proposal } from './proposal.js';

/**
 * Writes a rule file for each proposed context into the folder: in phase `monolith`, in which nothing moves, for a
 * database of its own that is yet to be configured.
 * @returns the paths that were written
 * @throws PgfigError FILE_EXISTS: none is written where one is there already
 */
export async function writeDraftRules(folder: string, { contexts }: Proposal): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const written: string[] = [];
  for (const [at, context] of contexts.entries()) {
    const file = path.join(folder, `${context.name}.yaml`);
    try {
      await writeFile(file, draftOf(context, at + 1, contexts.length), { flag: 'wx' });
    } catch (cause) {
      if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause;
      const before = written.length === 0 ? 'Nothing was written' : `${written.length} files were written before it`;
      throw new PgfigError('FILE_EXISTS', `${file} is there already, and is not overwritten. ${before}`, { cause });
    }
    written.push(file);
  }
  return written;
}

/** The name that the draft gives to the context's database. */
export const databaseOf = ({ name }: Pick<Context, 'name'>): string => `${name.slice(0, 60)}_db`;

function draftOf(context: Context, place: number, of: number): string {
  const { name, tables, owner, cohesion, reason, readers, writers } = context;
  const rule = new Document({
    domain: name,
    database: databaseOf(context),
    tables: tables.map(asWritten),
    ...(owner === null ? {} : { owner }),
    phase: 'monolith',
  });
  const comments = [
    `A draft, number ${place} of ${of} in the proposed order.`,
    reason,
    `Of the weight of its ties, ${Math.round(100 * cohesion)} % is within it.`,
    `Written by: ${writers.join(', ') || 'nobody'}. Read by: ${readers.join(', ') || 'nobody else'}.`,
    ...cutLines(context),
    '',
    'To use it, add its database to pgfig.yaml; nothing moves while the phase is monolith:',
    ...stringify({ databases: { [databaseOf(context)]: { url: 'postgres://HOST:5432/DBNAME' } } })
      .trimEnd()
      .split('\n'),
  ];
  // Names may hold line breaks, which would end a comment.
  rule.commentBefore = comments.map((line) => ` ${line.replaceAll(/[\r\n\u0085\u2028\u2029]/g, ' ')}`).join('\n');
  return rule.toString({ lineWidth: 0 });
}

const MOST_CUTS = 5;

function cutLines({ cuts }: Context): readonly string[] {
  if (cuts.length === 0) return ['Taking it out cuts nothing.'];
  const shown = cuts.slice(0, MOST_CUTS).map(({ table, other, otherContext, joins, transactions, definitions }) => {
    const what = [
      ...(joins > 0 ? [`${joins} joins`] : []),
      ...(transactions > 0 ? [`${transactions} transactions`] : []),
      ...definitions,
    ];
    return `  ${table} from ${other} (${otherContext}): ${what.join(', ') || 'the same service writes both'}`;
  });
  const more = cuts.length > MOST_CUTS ? [`  and ${cuts.length - MOST_CUTS} more`] : [];
  return ['Taking it out cuts:', ...shown, ...more];
}

/** As a rule file writes it: quoted where SQL would want it. */
function asWritten(key: string): string {
  const { schema, name } = splitKey(key);
  const part = (text: string): string =>
    /^[a-z_\u0080-\uFFFF][a-z0-9_$\u0080-\uFFFF]*$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
  return `${part(schema)}.${part(name)}`;
}
