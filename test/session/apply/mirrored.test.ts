import t from 'tap';
import { DEFAULT_MIRROR } from '../../../src/mirror/mirror.js';
import type { RoutingContext } from '../../../src/routing/context.js';
import { planText } from '../../../src/routing/plan.js';
import { parseRules } from '../../../src/rules/load.js';
import { mirroredBy, mirroredIn } from '../../../src/session/apply/mirrored.js';
import { loadParser } from '../../../src/sql/parser.js';
import type { Statement } from '../../../src/sql/statement.js';

const parser = await loadParser();
const PHASES = ['monolith', 'dual-write', 'shadow-read', 'read-new', 'write-new', 'retired'];

function rulesOf(files: Readonly<Record<string, string>>) {
  const texts = Object.entries(files).map(([name, more]): [string, string] => [
    `${name}.yaml`,
    `domain: ${name}\ndatabase: new_db\ntables: [public.${name.replaceAll('-', '_')}]\n${more}`,
  ]);
  return parseRules(new Map(texts), { databases: ['monolith', 'new_db'], default: 'monolith', version: 1 });
}

t.test('what is mirrored, and how, follows from the rule', async (t) => {
  const phases = rulesOf(Object.fromEntries(PHASES.map((phase) => [phase, `phase: ${phase}`])));
  t.strictSame(
    mirroredIn(phases).map(({ name }) => name),
    ['dual-write', 'read-new', 'shadow-read'],
  );
  t.equal(mirroredIn(phases), mirroredIn(phases), 'looked up once for each set of rules');
  const kinds = rulesOf({
    a: 'phase: dual-write',
    b: 'phase: dual-write\nmirror: {}',
    c: 'phase: dual-write\nmirror: { apply: async }',
    d: 'phase: dual-write\nmirror: { capture: statement }',
    e: 'phase: dual-write\nmirror: { syncTimeout: 50ms }',
  });
  t.strictSame(mirroredIn(kinds), [
    { name: 'a', source: 'monolith', sync: true, timeout: 1_000 },
    { name: 'b', source: 'monolith', sync: true, timeout: 1_000 },
    { name: 'c', source: 'monolith', sync: false, timeout: 1_000 },
    { name: 'e', source: 'monolith', sync: true, timeout: 50 },
  ]);
  t.strictSame(kinds.domains.find(({ name }) => name === 'b')?.mirror, DEFAULT_MIRROR, 'an empty key is no key');
});

const rules = rulesOf({ orders: 'phase: dual-write', parts: 'phase: read-new' });
const KNOWN = new Set(['orders', 'parts', 'users']);
const context = (hasRelation: (name: string) => boolean | null): RoutingContext => ({
  rules,
  catalog: {
    version: 1,
    hasRelation: (_database, schema, name) => (schema === 'public' ? hasRelation(name) : false),
    initialSearchPath: () => null,
  },
  searchPath: ['public'],
  tempTables: new Map(),
  service: '',
});

function written(sql: string, of = context((name) => KNOWN.has(name)), database: string | null = 'monolith'): string[] {
  const parsed = parser.parse(sql);
  const found = mirroredBy(parsed.statements, planText(parsed, of), of, database);
  return (found ?? []).map(({ name }) => name);
}

t.test('what is not known counts as written', async (t) => {
  t.strictSame(written('DELETE FROM orders'), ['orders']);
  t.strictSame(written('DELETE FROM users'), []);
  t.strictSame(written('this does not parse'), ['orders', 'parts']);
  t.strictSame(written("COMMIT PREPARED 'x'"), ['orders', 'parts']);
  t.strictSame(written('EXECUTE something'), ['orders', 'parts']);
  const blind = context(() => null);
  t.strictSame(written('DELETE FROM users', blind), ['orders', 'parts'], 'it may have triggers');
  t.strictSame(written('DELETE FROM users', { ...blind, catalog: null }), ['orders', 'parts']);
  t.strictSame(written('SELECT * FROM users', { ...blind, catalog: null }), []);
  t.strictSame(
    written(
      'this does not parse',
      context(() => true),
      'new_db',
    ),
    [],
    'nothing there commits on the source',
  );
});

t.test('a kind that nobody knows counts as written', async (t) => {
  const parsed = parser.parse('SELECT 1');
  const of = context(() => true);
  const other: Statement = { ...(parsed.statements[0] as Statement), kind: 'other' };
  t.equal(mirroredBy([other], planText(parsed, of), of, 'monolith')?.length, 2);
});

t.test('ROLLBACK within a string undoes what came before it, COMMIT keeps it', async (t) => {
  t.strictSame(written('BEGIN; DELETE FROM orders; ROLLBACK'), []);
  t.strictSame(written('BEGIN; DELETE FROM orders; COMMIT; BEGIN; DELETE FROM parts; ROLLBACK'), ['orders']);
  t.strictSame(written('BEGIN; DELETE FROM orders; ROLLBACK; DELETE FROM parts'), ['parts']);
  t.strictSame(written('BEGIN; SAVEPOINT a; DELETE FROM orders; ROLLBACK TO a; COMMIT'), ['orders']);
});
