import { mirrorOf } from '../../mirror/mirror.js';
import type { RoutingContext } from '../../routing/context.js';
import type { Route } from '../../routing/route.js';
import type { RuleSet } from '../../rules/rule-set.js';
import { splitKey } from '../../rules/table-name.js';
import type { Statement, StatementKind } from '../../sql/statement.js';

/** A domain whose copy follows commits on its source, as far as a session has to know it. */
export interface MirroredDomain {
  readonly name: string;
  /** The database whose commits it follows. */
  readonly source: string;
  /** ReadyForQuery is held until the copy has the change; otherwise the relay is only poked. */
  readonly sync: boolean;
  /** How long it is held at most, in milliseconds. */
  readonly timeout: number;
}

const bySet = new WeakMap<RuleSet, readonly MirroredDomain[]>();

/** The domains of a rule set whose changes a relay carries. Statement capture writes both sides itself. */
export function mirroredIn(rules: RuleSet): readonly MirroredDomain[] {
  let found = bySet.get(rules);
  if (found === undefined) {
    found = Object.freeze(rules.domains.flatMap((domain) => mirrored(mirrorOf(domain, rules.defaultDatabase))));
    bySet.set(rules, found);
  }
  return found;
}

function mirrored(mirror: ReturnType<typeof mirrorOf>): readonly MirroredDomain[] {
  if (mirror === null || mirror.rule.capture !== 'outbox') return [];
  const { apply, syncTimeout: timeout } = mirror.rule;
  return [Object.freeze({ name: mirror.domain, source: mirror.source, sync: apply === 'sync', timeout })];
}

/**
 * The mirrored domains that a text writes, or may write where it cannot be seen through; null where there are none,
 * which is all that a statement of other tables has to look at. A commit that is waited for in vain does no harm, one
 * that is not waited for lets its client read the past: in doubt it counts.
 *
 * @param database where all of it runs; null: any, or several
 */
export function mirroredBy(
  statements: readonly Statement[],
  routes: readonly Route[],
  context: RoutingContext,
  database: string | null,
): readonly MirroredDomain[] | null {
  const all = mirroredIn(context.rules).filter(({ source }) => database === null || database === source);
  if (all.length === 0) return null;
  const committed = new Set<MirroredDomain>();
  const open = new Set<MirroredDomain>();
  statements.forEach((statement, at) => {
    for (const { type } of statement.effects) {
      if (type === 'commit') for (const domain of open) committed.add(domain);
      if (type === 'rollback') open.clear();
    }
    const route = routes[at];
    if (route === undefined) return;
    for (const domain of writtenBy(statement, route, all, context)) open.add(domain);
  });
  const found = all.filter((domain) => committed.has(domain) || open.has(domain));
  return found.length === 0 ? null : Object.freeze(found);
}

function writtenBy(
  statement: Statement,
  route: Route,
  all: readonly MirroredDomain[],
  context: RoutingContext,
): readonly MirroredDomain[] {
  // Preparing runs nothing, and LOCK changes no row.
  if (statement.kind === 'prepare' || statement.kind === 'lock') return [];
  if (isUnseen(statement, route, context)) return all;
  // Without ANALYZE.
  if (statement.kind === 'explain' && !statement.writesData) return [];
  return all.filter(({ name }) => route.changedDomains.includes(name));
}

/** Kinds of which the text does not say what they write: COMMIT PREPARED commits what another session has written. */
const UNSEEN: ReadonlySet<StatementKind> = new Set(['unparsable', 'other', 'commit-prepared']);

function isUnseen({ kind, effects, writesData }: Statement, route: Route, context: RoutingContext): boolean {
  if (UNSEEN.has(kind) || route.opaque !== null) return true;
  // By its name alone; the session, which knows the statement of that name, looks again.
  if (effects.some(({ type }) => type === 'execute')) return true;
  return (
    writesData && route.touches.some(({ table, access }) => access === 'write' && hasUnknownTriggers(table, context))
  );
}

/** Without a catalog nobody knows which triggers stand behind a table. */
function hasUnknownTriggers(table: string, { catalog, rules }: RoutingContext): boolean {
  const { schema, name } = splitKey(table);
  return catalog === null || catalog.hasRelation(rules.defaultDatabase, schema, name) === null;
}

/**
 * Whether part of the text may be committed though the text as a whole fails: it holds COMMIT, or a procedure that may
 * commit, or nobody knows what.
 */
export function mayCommitInside(statements: readonly Statement[]): boolean {
  return statements.some(
    ({ kind, effects }) =>
      kind === 'unparsable' || kind === 'call' || kind === 'do' || effects.some(({ type }) => type === 'commit'),
  );
}
