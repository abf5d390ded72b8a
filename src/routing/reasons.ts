import { PgfigError } from '../errors/pgfig-error.js';
import type { Statement } from '../sql/statement.js';
import type { RoutingContext } from './context.js';
import type { Need } from './needs.js';

/** One sentence: which table is why where. Tables with the same why stand together. */
export function explainNeeds(statement: Statement, needs: readonly Need[], context: RoutingContext): string {
  const clauses = new Map<string, Set<string>>();
  // What stands anywhere is said last, after what binds the statement.
  for (const need of needs.toSorted((a, b) => Number(a.homes === null) - Number(b.homes === null))) {
    const why = whyThere(need, context);
    clauses.set(why, (clauses.get(why) ?? new Set()).add(need.what));
  }
  const sentences = [...clauses].map(
    ([why, names]) => `${list([...names])} ${names.size > 1 ? why.replace(/^is\b/, 'are') : why}`,
  );
  const hidden = statement.functions.map((f) => `${f.schema === undefined ? '' : `${f.schema}.`}${f.name}()`);
  if (hidden.length > 0) sentences.push(`what ${list(hidden)} touches is not known`);
  return sentences.join('; ');
}

function whyThere({ table, homes }: Need, context: RoutingContext): string {
  const database = homes?.[0] ?? '';
  if (table === null) return `is kept in the default database ${database}`;
  if (table.domain !== null) return `is in ${database} (domain ${table.domain.name}, phase ${table.domain.phase})`;
  if (table.nature === 'system') return 'is in every database';
  if (table.nature === 'temp')
    return database === '' ? 'is made beside it' : `is in ${database} (temporary table of this session)`;
  if (table.known) return `is in the default database ${database} (no rule)`;
  if (context.catalog === null) return `is taken to be in the default database ${database} (no rule)`;
  return `is not known, so it is taken to be in the default database ${database}`;
}

/** The error for a statement whose needs no single database meets. */
export function refusal(needs: readonly Need[]): PgfigError {
  const places = needs.map((need) => `${need.what} is in ${whereText(need)}`);
  const domains = [...new Set(needs.flatMap((need) => (need.table?.domain ? [need.table.domain.name] : [])))];
  const pinned = needs.find((need) => need.table === null);
  const hint =
    pinned !== undefined
      ? `Use ${pinned.what} in a statement of its own.`
      : needs.some((need) => need.table?.nature === 'temp')
        ? 'A temporary table is in one database; make it anew after a statement on the database where you need it.'
        : `Send one statement to each database, or have the operator put these tables into one domain${
            domains.length > 0 ? ` (now: ${domains.join(', ')})` : ''
          }, so that they move together.`;
  return new PgfigError(
    'NO_COMMON_HOME',
    `no single database has all that this statement needs: ${[...new Set(places)].join('; ')}`,
    {
      hint,
    },
  );
}

function whereText({ homes, table }: Need): string {
  const databases = (homes ?? []).join(' or ');
  if (table?.domain) return `${databases} (domain ${table.domain.name}, phase ${table.domain.phase})`;
  if (table?.nature === 'temp') return `${databases} (temporary)`;
  return databases;
}

function list(names: readonly string[]): string {
  if (names.length <= 1) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
