import type { PgfigError } from '../errors/pgfig-error.js';
import type { Statement } from '../sql/statement.js';
import type { Need, Needs } from './need.js';
import type { Route, RouteTouch } from './route.js';

/** Where a statement goes, and why; what else a route says follows from the statement's needs. */
export interface Choice {
  readonly target: Route['target'];
  readonly database: string | null;
  readonly homes: readonly string[];
  readonly reason: string;
  readonly error?: PgfigError;
  /** Set where the needs do not tell it. */
  readonly writes?: boolean;
}

/** The one place that makes a route: all have the same shape, which keeps reading them quick. */
export function makeRoute(statement: Statement, needs: Needs, choice: Choice): Route {
  const reads: string[] = [];
  const written: string[] = [];
  const writtenDomains: string[] = [];
  const changedDomains: string[] = [];
  let domain: string | null = null;
  let changes = statement.writesData;
  for (const { what, access, table } of needs.all) {
    changes ||= access !== 'read';
    const name = table?.domain?.name ?? null;
    domain ??= name;
    if (name !== null && access !== 'read' && !writtenDomains.includes(name)) writtenDomains.push(name);
    if (table === null || table.nature === 'sequence') continue;
    if (name !== null && access === 'write' && !changedDomains.includes(name)) changedDomains.push(name);
    const names = access === 'write' ? written : reads;
    if (!names.includes(what)) names.push(what);
  }
  return Object.freeze({
    target: choice.target,
    database: choice.database,
    homes: Object.freeze(choice.homes),
    writes: choice.writes ?? changes,
    error: choice.error ?? null,
    reason: choice.reason,
    domain,
    reads: Object.freeze(reads),
    written: Object.freeze(written),
    touches: touchesOf(needs.all),
    writtenDomains: Object.freeze(writtenDomains),
    changedDomains: Object.freeze(changedDomains),
    movesNames: needs.movesNames,
    opaque: needs.opaque,
  });
}

function touchesOf(needs: readonly Need[]): readonly RouteTouch[] {
  const touches: RouteTouch[] = [];
  for (const { what, access: needed, table, via } of needs) {
    if (table === null || (table.nature !== 'table' && table.nature !== 'view') || table.ref?.schema === 'pgfig')
      continue;
    const access = needed === 'write' ? 'write' : 'read';
    const named = via === null;
    const known = touches.findIndex((touch) => touch.table === what && touch.access === access);
    if (known < 0)
      touches.push({ table: what, access, view: table.nature === 'view', unknown: table.missing === true, named });
    else if (named) touches[known] = { ...(touches[known] as RouteTouch), named };
  }
  return Object.freeze(touches);
}
