import { PgfigError } from '../errors/pgfig-error.js';
import type { Domain } from '../rules/rule-set.js';
import type { RoutingContext } from './context.js';
import { listText } from './list-text.js';
import type { Need, Needs } from './need.js';
import { readersText } from './read-share.js';
import { readsNew } from './resolve.js';

/** One sentence: which table is why in `database`. Tables with the same why stand together. */
export function explainNeeds({ all: needs, opaque }: Needs, database: string, context: RoutingContext): string {
  const clauses = new Map<string, Set<string>>();
  // What stands anywhere is said last, after what binds the statement.
  for (const need of needs.toSorted((a, b) => Number(a.homes === null) - Number(b.homes === null))) {
    const why = `${whyThere(need, database, context)}${viaText(need)}`;
    clauses.set(why, (clauses.get(why) ?? new Set()).add(need.what));
  }
  const sentences = [...clauses].map(
    ([why, names]) => `${listText([...names])} ${names.size > 1 ? why.replace(/^is\b/, 'are') : why}`,
  );
  if (opaque !== null) sentences.push(opaque);
  return sentences.join('; ');
}

function whyThere(need: Need, chosen: string, context: RoutingContext): string {
  const { table, homes, access } = need;
  const database = homes === null ? '' : chosen;
  if (table === null)
    return need.sort === 'function' ? `is in ${listText(homes ?? [])}` : `is kept in the default database ${database}`;
  if (table.domain !== null) {
    const best = homes?.[0] ?? database;
    const why = best === database ? '' : `; ${best} does not have all that it is used with`;
    const phase = phaseText(table.domain, table.nature === 'sequence' ? 'write' : access, context);
    return `is ${best === database ? '' : 'also '}in ${database} (${phase}${why})`;
  }
  if (table.nature === 'system') return 'is in every database';
  if (table.nature === 'temp')
    return database === '' ? 'is made beside it' : `is in ${database} (temporary table of this session)`;
  if (table.nature === 'view') {
    const there = table.reads?.includes(database) === true;
    return there ? `is in ${listText(table.reads ?? [])} (a view, no rule)` : 'is made beside it';
  }
  if (table.known) return `is in ${isDefault(database, context)}${database} (no rule)`;
  if (context.catalog === null) return `is taken to be in the default database ${database} (no rule)`;
  return `is not known, so it is taken to be in the default database ${database}`;
}

const isDefault = (database: string, { rules }: RoutingContext): string =>
  database === rules.defaultDatabase ? 'the default database ' : '';

/** Why a domain in `read-new` is read where it is: the phase alone does not tell. */
function phaseText(domain: Domain, access: Need['access'], context: RoutingContext): string {
  const phase = `domain ${domain.name}, phase ${domain.phase}`;
  if (domain.phase !== 'read-new') return phase;
  if (access === 'write') return `${phase}: still written in ${context.rules.defaultDatabase}`;
  if (access === 'lock') return `${phase}: rows are locked where they are written`;
  if (readsNew(domain, context)) return `${phase}: this session reads ${domain.database}`;
  if (context.readsNew?.has(domain.name) !== true) {
    const readers = domain.reads === undefined ? '' : ` (${readersText(domain.reads)})`;
    return `${phase}: this session is not among those that read ${domain.database}${readers}`;
  }
  if (context.oneSnapshot === true) return `${phase}: one snapshot serves the whole transaction`;
  return `${phase}: this transaction has written the domain`;
}

const viaText = ({ via }: Need): string => (via === null ? '' : `, needed by ${via}`);

/** The error for a statement whose needs no single database meets. */
export function refusal(needs: readonly Need[]): PgfigError {
  const bound = needs.filter((need) => need.homes !== null);
  const places = bound.map((need) => `${need.what} is in ${whereText(need)}`);
  return new PgfigError(
    'NO_COMMON_HOME',
    `no single database has all that this statement needs: ${[...new Set(places)].join('; ')}`,
    { hint: hintFor(bound) },
  );
}

function hintFor(needs: readonly Need[]): string {
  const misnamed = needs.find((need) => need.note !== undefined);
  if (misnamed !== undefined) return `Name the table with its schema: ${misnamed.what}.`;
  const schema = needs.find((need) => need.sort === 'schema');
  if (schema !== undefined) return `Run it on each database itself, for what it has of ${schema.what}.`;
  const pinned = needs.find((need) => need.sort === 'pinned');
  if (pinned !== undefined) return `Use ${pinned.what} in a statement of its own.`;
  if (needs.some((need) => need.table?.nature === 'temp')) {
    return 'A temporary table is in one database; make it anew after a statement on the database where you need it.';
  }
  const fn = needs.find((need) => need.sort === 'function');
  if (fn !== undefined) return `Create ${fn.what} in the database that has the tables.`;
  const view = needs.find((need) => need.table?.nature === 'view');
  if (view !== undefined)
    return `Create view ${view.what} in the database that has its tables, without tables of others.`;
  const hidden = needs.find((need) => need.via !== null);
  const domains = [...new Set(needs.flatMap((need) => (need.table?.domain ? [need.table.domain.name] : [])))];
  const now = domains.length > 0 ? ` (now: ${domains.join(', ')})` : '';
  if (hidden?.via)
    return `Change ${hidden.via} so that it stays with tables of one database, or put these tables into one domain${now}.`;
  return `Send one statement to each database, or have the operator put these tables into one domain${now}, so that they move together.`;
}

function whereText(need: Need): string {
  const { homes, table } = need;
  // Where the name means another table the table itself is there all the same.
  const places =
    need.note === undefined || table === null ? homes : need.access === 'read' ? table.reads : table.writes;
  const databases = (places ?? []).join(' or ');
  const facts: string[] = [];
  if (table?.domain) facts.push(`domain ${table.domain.name}, phase ${table.domain.phase}`);
  if (table?.nature === 'temp') facts.push('temporary');
  if (table?.nature === 'view') facts.push('a view');
  if (need.via !== null) facts.push(`needed by ${need.via}`);
  if (need.note !== undefined) facts.push(need.note);
  return facts.length === 0 ? databases : `${databases} (${facts.join('; ')})`;
}
