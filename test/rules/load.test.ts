import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadRules, parseRules, readRules } from '../../src/rules/load.js';
import { PHASES } from '../../src/rules/phases.js';
import type { ReadsRule, RuleSet } from '../../src/rules/rule-set.js';
import { parseTableName, tableKey } from '../../src/rules/table-name.js';
import { faults, folderWith } from '../config/folder.js';

const context = { databases: ['monolith', 'orders_db'], default: 'monolith', version: 3 };
const rule = (over: Readonly<Record<string, string>> = {}): string =>
  Object.entries({ domain: 'orders', database: 'orders_db', tables: '[public.orders]', phase: 'write-new', ...over })
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');

t.test('a set of domains', async (t) => {
  const folder = folderWith(t, {
    'orders.yaml': rule({
      tables: '[public.orders, PUBLIC.Order_Items, \'sales."Big Table"\']',
      owner: 'order-service',
      mirror: '{ capture: outbox, apply: async, syncTimeout: 2s, guard: off }',
      reads: '{ new: 10%, services: [a] }',
      shadow: '{ sample: 5% }',
      crossDatabase: 'refuse',
    }),
    'accounts.yml': 'domain: accounts\ndatabase: orders_db\ntables: [public.users]\n',
    'README.md': 'not a rule',
    '.orders.yaml.swp': 'x',
    '.hidden.yaml': 'nonsense: [',
  });
  const rules = loadRules(folder, context);
  t.match(rules, { version: 3, defaultDatabase: 'monolith', databases: ['monolith', 'orders_db'] });
  t.same([...rules.tables.keys()], ['public.users', 'public.orders', 'public.order_items', 'sales.Big Table']);
  t.match(rules.domains, [
    { name: 'accounts', phase: 'monolith', owner: null },
    {
      name: 'orders',
      phase: 'write-new',
      owner: 'order-service',
      mirror: { capture: 'outbox', apply: 'async', syncTimeout: 2000, guard: 'off' },
      reads: { new: 10, services: ['a'] },
      shadow: { sample: 5 },
    },
  ]);
  t.ok(Object.isFrozen(rules) && Object.isFrozen(rules.domains[0]));
});

t.test('no rules are rules too; no folder is a fault', async (t) => {
  const folder = folderWith(t);
  t.match(loadRules(folder, context), { domains: [], databases: ['monolith'] });
  t.throws(() => loadRules(join(folder, 'nix'), context), {
    code: 'FILE_UNREADABLE',
    message: /the rules folder .*nix cannot be read \(ENOENT\)/,
    hint: /Create the folder/,
  });
  mkdirSync(join(folder, 'dir.yaml'));
  t.throws(() => loadRules(folder, context), {
    code: 'FILE_UNREADABLE',
    message: /the rules file .*dir\.yaml cannot be read/,
  });
});

function shown(t: Test, files: Readonly<Record<string, string>>): readonly string[] {
  const folder = folderWith(t, files);
  return faults(folder, () => loadRules(folder, context));
}

t.test('faults over several files are told at once', async (t) => {
  t.same(
    shown(t, {
      'a.yaml': rule(),
      'b.yaml': rule({ database: 'nix', tables: '[public.orders, foo, public.x, PUBLIC.X]' }),
      'd.yaml': rule({ domain: 'd', tables: '[x.d]', phase: 'moved' }),
      'e.yaml': '',
      'f.yaml': rule({ domain: 'f', tables: '[', phase: 'x' }),
      'g.yaml': rule({ domain: 'g', database: 'monolith', tables: '[x.g]' }),
    }),
    [
      'b.yaml:1:9: domain orders is already defined at a.yaml:1:9. Merge the two files, or rename one domain.',
      'b.yaml:2:11: unknown database "nix". Use one of monolith, orders_db, or add it to databases in pgfig.yaml.',
      'b.yaml:3:10: table public.orders is already in domain orders at a.yaml:3:10. A table can be in one domain, once; remove it here or there.',
      'b.yaml:3:25: table "foo" has no schema. Write it with one, e.g. public.foo.',
      'b.yaml:3:40: table public.x is already in domain orders at b.yaml:3:30. A table can be in one domain, once; remove it here or there.',
      'd.yaml:4:8: phase is not one of the known values. Use one of monolith, dual-write, shadow-read, read-new, write-new, retired.',
      'e.yaml:1:1: the file holds no rules. Write at least domain, database and tables, or remove the file.',
      'f.yaml:4:1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]. Correct the text at this place.',
      'g.yaml:2:11: the tables of a domain cannot move to monolith, the default database, where they are. Name another, or use phase monolith.',
    ],
  );
});

t.test('a domain of the default database may be named while it stays', async (t) => {
  t.same(shown(t, { 'a.yaml': rule({ database: 'monolith', phase: 'monolith' }) }), []);
});

for (const phase of PHASES) {
  t.test(`phase ${phase}`, async (t) => {
    const folder = folderWith(t, { 'a.yaml': `${rule({ phase })}mirror: { capture: none }\n` });
    const { rules, warnings, places } = readRules(folder, context);
    t.equal(rules.domains[0]?.phase, phase);
    const mirrored = ['dual-write', 'shadow-read', 'read-new'].includes(phase);
    t.strictSame(
      warnings.map((line) => line.replace(`${folder}/`, '')),
      mirrored
        ? [
            `a.yaml:4:8: domain orders is in phase ${phase}, and its rule says capture: none. Keep the copy in orders_db in step by other means, such as logical replication.`,
          ]
        : [],
    );
    t.match(places.get('orders'), {
      domain: `${folder}/a.yaml:1:9`,
      phase: `${folder}/a.yaml:4:8`,
      tables: new Map([['public.orders', `${folder}/a.yaml:3:10`]]),
    });
  });
}

const READS: readonly (readonly [given: string, reads: ReadsRule | undefined])[] = [
  ['', { new: 100, services: [] }],
  ['{}', { new: 100, services: [] }],
  ['{ new: 10% }', { new: 10, services: [] }],
  ['{ services: [a] }', { new: 0, services: ['a'] }],
  ['{ services: [] }', { new: 100, services: [] }],
  ['{ new: 5%, services: [a] }', { new: 5, services: ['a'] }],
];
for (const [given, reads] of READS) {
  t.test(`reads: ${given}`, async (t) => {
    const over = given === '' ? {} : { reads: given };
    const folder = folderWith(t, { 'a.yaml': rule({ phase: 'read-new', ...over }) });
    t.strictSame(loadRules(folder, context).domains[0]?.reads, reads);
  });
}

const REFUSED: readonly (readonly [over: Readonly<Record<string, string>>, says: RegExp])[] = [
  [{ domain: '""' }, /domain must be a name/],
  [{ tables: '[]' }, /tables must name at least one table/],
  [{ tables: 'public.orders' }, /tables must be a list/],
  [{ tables: '[pg_catalog.pg_class]' }, /in schema pg_catalog, which each database has for itself/],
  [{ tables: '[pgfig.outbox]' }, /in schema pgfig/],
  [{ tables: '[a.b.c]' }, /"a\.b\.c" is not a table name/],
  [{ tables: '["public.order items"]' }, /is not a table name/],
  [{ tables: `[public.${'x'.repeat(64)}]` }, /more than 63 bytes/],
  [{ table: '[public.orders]' }, /unknown key "table"\. Valid keys: domain, database, tables, /],
  [{ mirror: '{ apply: maybe }' }, /mirror\.apply is not one of the known values\. Use one of sync, async/],
  [
    { mirror: '{ timeout: 1s }' },
    /unknown key "timeout" in mirror\. Valid keys: capture, apply, syncTimeout, statementTimeout, guard/,
  ],
  [{ reads: '{ new: 10 }' }, /reads\.new must be a percentage such as 10%/],
  [{ shadow: '{ sample: 101% }' }, /shadow\.sample must be at most 100%/],
  [{ crossDatabase: 'join' }, /crossDatabase is not one of the known values\. Use one of refuse/],
];
for (const [over, says] of REFUSED) {
  t.test(`refused: ${JSON.stringify(over)}`, async (t) => {
    const lines = shown(t, { 'a.yaml': rule(over) });
    t.equal(lines.length, 1, lines.join('\n'));
    t.match(lines[0], says);
    t.match(lines[0], /^a\.yaml:[1-5]:\d+: /);
  });
}

t.test('table names are read as Postgres reads them', async (t) => {
  t.same(parseTableName('Public.Orders'), { schema: 'public', name: 'orders' });
  t.same(parseTableName('"Public"."Or""ders"'), { schema: 'Public', name: 'Or"ders' });
  t.same(parseTableName('s.ÄÖ_1$'), { schema: 's', name: 'ÄÖ_1$' }, 'only ASCII letters are folded');
  for (const bad of ['', '.', 'a.', '.b', 'a b', 'a.1b', 'a."', 'a.""', 'a.b;', 'a.b.c'])
    t.type(parseTableName(bad), 'string', bad);
  t.equal(tableKey('a', 'b'), 'a.b');
  t.not(tableKey('a.b', 'c'), tableKey('a', 'b.c'), 'a dot in a name makes no other table');
});

t.test('tables that each database has for itself', async (t) => {
  const read = (more: string): RuleSet =>
    parseRules(new Map([['a.yaml', `domain: a\ndatabase: orders_db\ntables: [public.orders]\n${more}`]]), {
      databases: ['monolith', 'orders_db'],
      default: 'monolith',
      version: 1,
    });
  t.strictSame(read('local: [public.Audit, app.log]').domains[0]?.local, ['public.audit', 'app.log']);
  t.notOk('local' in (read('').domains[0] ?? {}));
  t.throws(() => read('local: [public.orders]'), {
    message:
      /a\.yaml:4:9: table public\.orders is in domain a at a\.yaml:3:10\. A table moves or is each database's own/,
  });
  t.throws(() => read('local: [audit]'), { message: /has no schema/ });
});

t.test('what goes to Kafka', async (t) => {
  const load = (over: Record<string, string>, more: { kafka?: boolean } = {}) =>
    readRules(folderWith(t, { 'orders.yaml': rule({ phase: 'monolith', ...over }) }), { ...context, ...more });
  const both = load({ events: '{}', outbox: '{ tables: [Public.Outbox], columns: { order: seq } }' });
  t.match(both.rules.domains[0], {
    events: { topic: null, per: 'domain', envelope: 'plain' },
    outbox: {
      tables: ['public.outbox'],
      publish: false,
      after: 'delete',
      topic: 'outbox.event.{aggregatetype}',
      columns: {
        id: 'id',
        aggregateType: 'aggregatetype',
        aggregateId: 'aggregateid',
        order: 'seq',
        sentAt: 'sent_at',
      },
    },
  });
  t.strictSame(both.warnings, []);
  t.match(
    load({ events: '{}' }, { kafka: false }).warnings[0],
    /orders\.yaml:5:9: domain orders has events or outbox, .* nothing is sent/,
  );
  t.strictSame(load({ events: '{}' }, { kafka: true }).warnings, []);
  t.match(
    load({ events: '{}', mirror: '{ capture: statement }' }).warnings[0],
    /has events, and its rule says capture: statement/,
  );
  const faulty = (over: Record<string, string>): string => {
    try {
      load(over);
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
    return '';
  };
  t.match(faulty({ events: '{ topic: my topic }' }), /"my topic" is no name of a topic/);
  t.match(faulty({ outbox: '{}' }), /outbox names no table/);
  t.match(faulty({ outbox: '{ tables: [outbox] }' }), /has no schema/);
  t.match(
    faulty({ outbox: '{ tables: [public.o, PUBLIC.o] }' }),
    /public\.o is already relayed by the rule at .*orders\.yaml:5/,
  );
  t.match(
    faulty({ events: '{ per: table }', tables: '[\'public."a b"\', \'public."a_b"\']' }),
    /would share topic orders\.public\.a_b/,
  );
  t.match(faulty({ events: '{ per: row }' }), /domain, table/);
});
