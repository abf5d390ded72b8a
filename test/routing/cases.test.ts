import t, { type Test } from 'tap';
import { explainScript } from '../../src/operator/cli/explain-script.js';
import { planStatement } from '../../src/routing/plan.js';
import { loadParser } from '../../src/sql/parser.js';
import { type Case, readCases } from './case-file.js';

const parser = await loadParser();
const cases = readCases(parser);

// A folder that is empty or not found must not pass.
t.ok(cases.length >= 470, `${cases.length} cases`);

for (const file of new Set(cases.map((one) => one.file))) {
  t.test(file, async (t) => {
    for (const one of cases) if (one.file === file) check(t, one);
  });
}

function check(t: Test, { title, expected, context }: Case): void {
  const [statement] = parser.parse(expected.sql).statements;
  if (statement === undefined) {
    t.fail(`no statement in ${title}`);
    return;
  }
  const route = planStatement(statement, context);
  const { sql, says, reason, hint, ...facts } = expected;
  const found: Record<string, unknown> = { ...route, route: route.database ?? route.target };
  for (const [key, value] of Object.entries(facts)) {
    if (key in found) t.same(found[key], value, `${title}: ${key}`, { found: route.reason });
  }
  const text = `${route.reason} ${route.error?.hint ?? ''}`;
  for (const part of says ?? []) t.ok(text.includes(part), `${title}: says ${part}`, { found: text });
  if (reason !== undefined) t.equal(route.reason, reason, `${title}: reason`);
  if (hint !== undefined) t.equal(route.error?.hint, hint, `${title}: hint`);
  t.equal(route.target === 'refused', route.error !== null, `${title}: an error exactly where it is refused`);
  if (route.error !== null) t.equal(route.error.message, route.reason, `${title}: the refusal is the reason`);
  t.ok(Object.isFrozen(route) && Object.isFrozen(route.homes), `${title}: frozen`);
  t.same(planStatement(statement, context), route, `${title}: the same again`);
}

t.test('pgfig explain shows what the router decides, in its words', async (t) => {
  for (const { title, expected, context } of cases) {
    const parsed = parser.parse(expected.sql);
    const [statement] = parsed.statements;
    const [explained] = explainScript(parsed, context);
    if (statement === undefined || explained === undefined) throw new Error(`no statement in ${title}`);
    const route = planStatement(statement, context);
    const syntax = parsed.syntaxError === null ? '' : ` (${parsed.syntaxError})`;
    t.same(
      explained,
      {
        kind: statement.kind,
        reads: route.reads,
        writes: route.written,
        route: route.target === 'refused' ? null : (route.database ?? route.target),
        refused: route.error?.message ?? null,
        reason: `${route.reason}${syntax}`,
      },
      title,
    );
  }
});
