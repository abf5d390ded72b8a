import type { RoutingContext } from '../../routing/context.js';
import { type Mirroring, mirroringOf } from '../../routing/mirroring.js';
import type { Route } from '../../routing/route.js';
import { anyMirroredByStatement } from '../../rules/statement-mirror.js';
import type { ParsedText } from '../../sql/statement.js';

/** What the statement mirror has to do for one text. */
export interface PlanMirror {
  /** One for each statement; null for those that it has no business with. */
  readonly statements: readonly (Mirroring | null)[];
  /** The longest that the client waits for the new database, in ms: the shortest of the domains concerned. */
  readonly timeout: number;
}

/** Decided once for each plan; null where nothing of it is mirrored by statement. */
export function mirrorOfText(parsed: ParsedText, routes: readonly Route[], context: RoutingContext): PlanMirror | null {
  if (!anyMirroredByStatement(context.rules)) return null;
  const decided = parsed.statements.map((statement, at) => {
    const route = routes[at];
    return route === undefined ? null : mirroringOf(statement, route, context);
  });
  const concerned = decided.filter((one) => one !== null);
  if (concerned.length === 0) return null;
  const unclear =
    parsed.statements.length > 1 &&
    parsed.statements.some(({ effects, copyStream }) => effects.length > 0 || copyStream !== null);
  const statements = unclear ? decided.map((one) => one && withRefusal(one)) : decided;
  const timeouts = concerned.flatMap(({ domains }) =>
    domains.flatMap(({ mirror }) => (mirror === undefined ? [] : [mirror.statementTimeout])),
  );
  return { statements, timeout: Math.min(...timeouts) };
}

/** A string that begins or ends transactions, or changes the session, passes whole: nothing can run in between. */
const withRefusal = (one: Mirroring): Mirroring => ({
  ...one,
  refusal: one.refusal ?? {
    code: 'string',
    why: 'it stands in a query string that controls transactions or the session',
  },
});
