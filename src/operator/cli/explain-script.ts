import { planStatement, type RoutingContext } from '../../routing/plan.js';
import type { Route } from '../../routing/route.js';
import { mirrorOfText } from '../../session/plan/plan-mirror.js';
import type { ParsedText, Statement } from '../../sql/statement.js';
import { type ExplainedMirror, explainMirror, mirrorLine } from './explain-mirror.js';

/** One statement of `pgfig explain --json`; the keys and their order are an interface. */
export interface ExplainedStatement {
  readonly kind: string;
  /** 'schema.table' */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** A database, or 'any' (where the session last was), or 'every' (each database of the session); null: refused. */
  readonly route: string | null;
  readonly refused: string | null;
  readonly reason: string;
  /** What the statement mirror does with it; null: it changes nothing that is mirrored by statement. */
  readonly mirror: ExplainedMirror | null;
}

/**
 * Explains the statements of a query string in their order. What one of them does to the names of those that follow
 * (SET search_path, a temporary table made or dropped) is taken into account, as a session would.
 */
export function explainScript(parsed: ParsedText, context: RoutingContext): readonly ExplainedStatement[] {
  const routes = routesOf(parsed, context);
  const mirror = mirrorOfText(parsed, routes, context);
  return parsed.statements.flatMap((statement, at) => {
    const route = routes[at];
    if (route === undefined) return [];
    const reason =
      statement.kind === 'unparsable' && parsed.syntaxError !== null
        ? `${route.reason} (${parsed.syntaxError})`
        : route.reason;
    return {
      kind: statement.kind,
      reads: route.reads,
      writes: route.written,
      route: route.target === 'refused' ? null : (route.database ?? route.target),
      refused: route.error?.message ?? null,
      reason,
      mirror: explainMirror(mirror?.statements[at] ?? null, context),
    };
  });
}

function routesOf(parsed: ParsedText, context: RoutingContext): readonly Route[] {
  let now = context;
  let last = context.home ?? context.rules.defaultDatabase;
  return parsed.statements.map((statement) => {
    const route = planStatement(statement, now);
    last = route.database ?? last;
    now = after(statement, route, now, { searchPath: context.searchPath, last });
    return route;
  });
}

function after(
  statement: Statement,
  route: Route,
  context: RoutingContext,
  { searchPath: initialPath, last }: { readonly searchPath: readonly string[]; readonly last: string },
): RoutingContext {
  let { searchPath, tempTables } = context;
  for (const effect of statement.effects) {
    if (effect.type === 'set' && effect.name === 'search_path') searchPath = effect.value ?? initialPath;
    if (effect.type === 'reset-all') searchPath = initialPath;
    if (effect.type === 'discard' && effect.what === 'all') searchPath = initialPath;
    if (effect.type === 'discard' && (effect.what === 'all' || effect.what === 'temp')) tempTables = new Map();
    if (effect.type === 'create-temp' && route.target !== 'refused') {
      tempTables = new Map(tempTables).set(effect.table, last);
    }
    if (effect.type === 'drop-table') {
      const dropped = effect.table.name;
      tempTables = new Map([...tempTables].filter(([name]) => name !== dropped));
    }
  }
  return { ...context, searchPath, tempTables };
}

/** The statements as text for people. */
export function explainText(statements: readonly ExplainedStatement[], sql: string): string {
  if (statements.length === 0) return `no statement in ${JSON.stringify(sql)}\n`;
  const tables = (names: readonly string[]): string => (names.length > 0 ? names.join(', ') : '-');
  return statements
    .map((s, index) =>
      [
        statements.length > 1 ? `${index + 1}. ${s.kind}` : s.kind,
        `  reads   ${tables(s.reads)}`,
        `  writes  ${tables(s.writes)}`,
        `  route   ${s.route ?? 'refused (0A000)'}`,
        `  reason  ${s.reason}`,
        ...(s.mirror === null ? [] : [`  mirror  ${mirrorLine(s.mirror)}`]),
        '',
      ].join('\n'),
    )
    .join('\n');
}
