import type { Domain } from '../rules/rule-set.js';
import { isMirroredByStatement } from '../rules/statement-mirror.js';
import type { Statement } from '../sql/statement.js';
import type { RoutingContext } from './context.js';
import { type MirrorRefusal, refusalOf } from './mirror-refusals.js';
import { domainOf } from './mirrored-tables.js';
import type { Route } from './route.js';

export type { MirrorRefusal, MirrorRefusalCode } from './mirror-refusals.js';

/** What the statement mirror has to do with one statement. */
export interface Mirroring {
  /** The domains that it writes, of those whose `capture` is `statement`; the first names the divergence. */
  readonly domains: readonly Domain[];
  /** The new database of the first of them. */
  readonly database: string;
  /** Their tables that it writes, as 'schema.table'; none where only an opaque part may write them. */
  readonly tables: readonly string[];
  /** Why it must not run on the new database as well; null: it may. */
  readonly refusal: MirrorRefusal | null;
}

/** They change no rows of a table, or only plan to. */
const CHANGES_NOTHING: ReadonlySet<string> = new Set(['prepare', 'maintenance', 'lock', 'declare', 'set-constraints']);

/**
 * Whether a statement that runs on the monolith is to run on a new database too, and why not. Pure: depends on the
 * statement, its route and the context alone, so it is kept with the plan.
 *
 * It may where it leaves the same rows there: where all that it reads and writes is mirrored by statement to the same
 * database, and nothing that it evaluates hangs on more than these rows. Locks alone are no matter: the mirror runs
 * behind the monolith, which has given the locks by then.
 *
 * @returns null where no table is touched that is mirrored by statement
 */
export function mirroringOf(statement: Statement, route: Route, context: RoutingContext): Mirroring | null {
  if (route.error !== null || CHANGES_NOTHING.has(statement.kind)) return null;
  if (statement.kind === 'explain' && !statement.writesData) return null;
  const written = writtenTables(route, context);
  if (written.length > 0) {
    const domains = [...new Set(written.map(({ domain }) => domain))];
    const [first] = domains;
    if (first === undefined) return null;
    const tables = written.map(({ table }) => table);
    return Object.freeze({
      domains: Object.freeze(domains),
      database: first.database,
      tables: Object.freeze(tables),
      refusal: refusalOf(statement, route, { domains, tables, context }),
    });
  }
  return mayWriteUnseen(statement, route) ? unseen(route, context) : null;
}

interface Written {
  readonly table: string;
  readonly domain: Domain;
}

function writtenTables(route: Route, context: RoutingContext): readonly Written[] {
  return route.touches.flatMap(({ table, access, view }) => {
    const domain = access === 'write' && !view ? domainOf(table, context) : null;
    return domain !== null && isMirroredByStatement(domain) ? [{ table, domain }] : [];
  });
}

/** What cannot be seen through may write anything: a DO block, a procedure, a function with dynamic SQL. */
function mayWriteUnseen(statement: Statement, route: Route): boolean {
  return route.opaque !== null || statement.kind === 'unparsable';
}

function unseen(route: Route, context: RoutingContext): Mirroring | null {
  const domains = context.rules.domains.filter(isMirroredByStatement);
  const [first] = domains;
  if (first === undefined) return null;
  const why = route.opaque ?? 'its text does not parse';
  const refusal: MirrorRefusal = { code: 'opaque', why: `it may write mirrored tables unseen: ${why}` };
  return Object.freeze({ domains, database: first.database, tables: Object.freeze([]), refusal });
}
