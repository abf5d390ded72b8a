import { isDeepStrictEqual } from 'node:util';
import t, { type Test } from 'tap';
import { explainScript } from '../../src/operator/cli/explain-script.js';
import { type Mirroring, mirroringOf } from '../../src/routing/mirroring.js';
import { planStatement } from '../../src/routing/plan.js';
import { loadParser } from '../../src/sql/parser.js';
import { type Case, readCases } from './case-file.js';

const parser = await loadParser();
const cases = readCases(parser);
const mirrorText = (mirroring: Mirroring | null): string =>
  mirroring === null ? 'none' : (mirroring.refusal?.code ?? 'runs');

// A folder that is empty or not found must not pass.
t.ok(cases.length >= 1000, `${cases.length} cases`);

for (const file of new Set(cases.map((one) => one.file))) {
  t.test(file, async (t) => {
    for (const one of cases) if (one.file === file) check(t, one);
  });
}

/** One assertion for a case: there are a thousand. */
function check(t: Test, { title, expected, context }: Case): void {
  const [statement] = parser.parse(expected.sql).statements;
  if (statement === undefined) {
    t.fail(`no statement in ${title}`);
    return;
  }
  const route = planStatement(statement, context);
  const text = `${route.reason} ${route.error?.hint ?? ''}`;
  const all: Record<string, unknown> = {
    ...route,
    route: route.database ?? route.target,
    hint: route.error?.hint,
    mirror: mirrorText(mirroringOf(statement, route, context)),
    says: (expected.says ?? []).filter((part) => text.includes(part)),
    // An error exactly where it is refused, which is the reason then.
    error: route.error?.message ?? null,
    frozen: Object.isFrozen(route) && Object.isFrozen(route.homes),
    again: isDeepStrictEqual({ ...planStatement(statement, context), error: null }, { ...route, error: null }),
  };
  const wanted: Record<string, unknown> = {
    ...Object.fromEntries(Object.entries(expected).filter(([key]) => key in all)),
    says: expected.says ?? [],
    error: expected.route === 'refused' ? route.reason : null,
    frozen: true,
    again: true,
  };
  const found = Object.fromEntries(Object.keys(wanted).map((key) => [key, all[key]]));
  t.same(found, wanted, title, { reason: route.reason });
}

t.test('pgfig explain shows what the router decides, in its words', async (t) => {
  const rows = cases.map(({ title, expected, context }) => {
    const parsed = parser.parse(expected.sql);
    const [statement] = parsed.statements;
    const [explained] = explainScript(parsed, context);
    if (statement === undefined || explained === undefined) throw new Error(`no statement in ${title}`);
    const route = planStatement(statement, context);
    const syntax = parsed.syntaxError === null ? '' : ` (${parsed.syntaxError})`;
    const wanted = {
      kind: statement.kind,
      reads: route.reads,
      writes: route.written,
      route: route.target === 'refused' ? null : (route.database ?? route.target),
      refused: route.error?.message ?? null,
      reason: `${route.reason}${syntax}`,
      mirror: mirrorText(mirroringOf(statement, route, context)),
    };
    const { mirror } = explained;
    // What only catalogs tell is not known where there are none.
    const unknown = mirror?.runs === null && context.catalog === null ? wanted.mirror : 'not known';
    const told = mirror === null ? 'none' : mirror.runs === null ? unknown : (mirror.reason ?? 'runs');
    return { title, explained: { ...explained, mirror: told }, wanted };
  });
  t.same(
    rows.map(({ title, explained }) => ({ title, ...explained })),
    rows.map(({ title, wanted }) => ({ title, ...wanted })),
  );
});
