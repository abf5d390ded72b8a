import fc from 'fast-check';
import t from 'tap';
import { buildRuleSet } from '../../src/rules/build.js';
import { type LoadedRules, parseRuleTexts } from '../../src/rules/load.js';
import { authoritative, PHASES } from '../../src/rules/phases.js';
import type { Domain, Phase, RuleSet } from '../../src/rules/rule-set.js';
import { takeRules } from '../../src/rules/transition.js';

const context = { databases: ['monolith', 'a_db', 'b_db'], default: 'monolith', version: 7 };
type Rule = readonly [name: string, database: string, phase: Phase, ...tables: string[]];

const load = (...rules: readonly Rule[]): LoadedRules =>
  parseRuleTexts(
    new Map(
      rules.map(([domain, database, phase, ...tables]) => [
        `${domain}.yaml`,
        `domain: ${domain}\ndatabase: ${database}\nphase: ${phase}\ntables:\n${tables.map((name) => `  - public.${name}\n`).join('')}`,
      ]),
    ),
    context,
  );
const set = (...rules: readonly Rule[]): RuleSet => load(...rules).rules;
const shown = (rules: RuleSet): unknown =>
  rules.domains.map(({ name, database, phase, tables }) => [
    name,
    database,
    phase,
    ...tables.map((table) => table.replace('public.', '')),
  ]);

t.test('nothing changed: the same set', async (t) => {
  const before = set(['a', 'a_db', 'write-new', 't']);
  const { rules, pending, warnings } = takeRules(before, load(['a', 'a_db', 'write-new', 't']));
  t.equal(rules, before);
  t.strictSame([pending, warnings], [[], []]);
});

t.test('what moves no write is taken, as one set with the next version', async (t) => {
  const before = set(
    ['a', 'a_db', 'shadow-read', 't', 'u'],
    ['b', 'b_db', 'write-new', 'v'],
    ['c', 'b_db', 'monolith', 'w'],
  );
  const after = load(
    ['a', 'a_db', 'read-new', 't', 'x'],
    ['b', 'b_db', 'retired', 'v'],
    ['d', 'a_db', 'monolith', 'w'],
  );
  const { rules, pending } = takeRules(before, after);
  t.strictSame(shown(rules), shown(after.rules));
  t.equal(rules.version, 8);
  t.equal(rules.loadedAt, after.rules.loadedAt);
  t.strictSame([...rules.tables.keys()].toSorted(), ['public.t', 'public.v', 'public.w', 'public.x']);
  t.strictSame(pending, []);
});

const HELD: readonly {
  readonly what: string;
  readonly before: readonly Rule[];
  readonly after: readonly Rule[];
  readonly effective: readonly Rule[];
  readonly pending: readonly (readonly [domain: string, at: string, ...moves: string[]])[];
}[] = [
  {
    what: 'a phase into write-new; another domain goes its way',
    before: [
      ['a', 'a_db', 'read-new', 't', 'u'],
      ['b', 'b_db', 'monolith', 'v'],
    ],
    after: [
      ['a', 'a_db', 'write-new', 't', 'u'],
      ['b', 'b_db', 'dual-write', 'v'],
    ],
    effective: [
      ['a', 'a_db', 'read-new', 't', 'u'],
      ['b', 'b_db', 'dual-write', 'v'],
    ],
    pending: [['a', 'a.yaml:3:8', 't monolith a_db', 'u monolith a_db']],
  },
  {
    what: 'a phase out of write-new',
    before: [['a', 'a_db', 'write-new', 't']],
    after: [['a', 'a_db', 'read-new', 't']],
    effective: [['a', 'a_db', 'write-new', 't']],
    pending: [['a', 'a.yaml:3:8', 't a_db monolith']],
  },
  {
    what: 'another database of a moved domain',
    before: [['a', 'a_db', 'write-new', 't']],
    after: [['a', 'b_db', 'write-new', 't']],
    effective: [['a', 'a_db', 'write-new', 't']],
    pending: [['a', 'a.yaml:2:11', 't a_db b_db']],
  },
  {
    what: 'a table more and a table less in a moved domain',
    before: [['a', 'a_db', 'write-new', 't', 'u']],
    after: [['a', 'a_db', 'write-new', 'u', 'v']],
    effective: [['a', 'a_db', 'write-new', 't', 'u']],
    pending: [['a', 'a.yaml:6:5', 't a_db monolith', 'v monolith a_db']],
  },
  {
    what: 'the file of a moved domain is gone',
    before: [['a', 'a_db', 'retired', 't']],
    after: [],
    effective: [['a', 'a_db', 'retired', 't']],
    pending: [['a', 'a.yaml', 't a_db monolith']],
  },
  {
    what: 'a new domain that begins as moved',
    before: [],
    after: [['a', 'a_db', 'write-new', 't']],
    effective: [],
    pending: [['a', 'a.yaml:3:8', 't monolith a_db']],
  },
  {
    what: 'a table that goes from one domain to a moved one stays in the first until then',
    before: [
      ['a', 'a_db', 'monolith', 't', 'u'],
      ['b', 'b_db', 'write-new', 'v'],
    ],
    after: [
      ['a', 'a_db', 'monolith', 't'],
      ['b', 'b_db', 'write-new', 'u', 'v'],
    ],
    effective: [
      ['a', 'a_db', 'monolith', 't', 'u'],
      ['b', 'b_db', 'write-new', 'v'],
    ],
    pending: [
      ['a', 'a.yaml:1:9', 'u monolith b_db'],
      ['b', 'b.yaml:5:5', 'u monolith b_db'],
    ],
  },
  {
    what: 'who would have a table that a held domain keeps waits too, and so on',
    before: [
      ['a', 'a_db', 'write-new', 't', 'u'],
      ['b', 'b_db', 'monolith', 'v'],
      ['c', 'b_db', 'monolith', 'w'],
      ['d', 'b_db', 'monolith', 'x'],
    ],
    after: [
      ['a', 'a_db', 'write-new', 't'],
      ['b', 'b_db', 'monolith', 'u'],
      ['c', 'b_db', 'dual-write', 'v'],
      ['d', 'b_db', 'dual-write', 'x', 'w'],
    ],
    effective: [
      ['a', 'a_db', 'write-new', 't', 'u'],
      ['b', 'b_db', 'monolith', 'v'],
      ['c', 'b_db', 'monolith', 'w'],
      ['d', 'b_db', 'monolith', 'x'],
    ],
    pending: [
      ['a', 'a.yaml:1:9', 'u a_db monolith'],
      ['b', 'b.yaml:5:5', 'u a_db monolith'],
      ['c', 'c.yaml:3:8'],
      ['d', 'd.yaml:3:8'],
    ],
  },
];
for (const { what, before, after, effective, pending } of HELD) {
  t.test(`held: ${what}`, async (t) => {
    const old = set(...before);
    const taken = takeRules(old, load(...after));
    t.strictSame(shown(taken.rules), effective);
    t.strictSame(
      taken.pending.map(({ domain, at, moves }) => [
        domain,
        at,
        ...moves.map(({ table, from, to }) => `${table.replace('public.', '')} ${from} ${to}`),
      ]),
      pending,
    );
    t.match(takeRules(taken.rules, load(...before)), { pending: [] }, 'the files changed back: nothing waits');
  });
}

t.test('the reason says what would move and what to do', async (t) => {
  const { pending } = takeRules(set(['a', 'a_db', 'read-new', 't', 'u']), load(['a', 'a_db', 'write-new', 't', 'u']));
  t.equal(
    pending[0]?.reason,
    'writes of public.t, public.u would move from monolith to a_db. A reload moves no writes: rows would stay behind. The cutover command will move them; until pgfig has it, stop the writers, bring the tables up to date where they go, and restart pgfig, which takes the files as they are. Or change the rule back',
  );
  const chain = takeRules(
    set(['a', 'a_db', 'write-new', 't'], ['b', 'a_db', 'monolith', 'u']),
    load(['b', 'a_db', 'monolith', 't'], ['c', 'a_db', 'monolith', 'u']),
  );
  t.match(
    chain.pending.map(({ domain, reason }) => [domain, reason]),
    [
      ['a', /^writes of public\.t would move from a_db to monolith\./],
      ['b', /^writes of public\.t would move from a_db to monolith\./],
      [
        'c',
        'public.u is still in domain b, whose change waits. This change is taken together with that of b, or once the two share no table',
      ],
    ],
  );
});

t.test('phases that are jumped over are named', async (t) => {
  const jumps = (from: Phase | null, to: Phase): readonly string[] =>
    takeRules(from === null ? set() : set(['a', 'a_db', from, 't']), load(['a', 'a_db', to, 't'])).warnings.filter(
      (line) => !line.includes('capture: none'),
    );
  t.match(jumps('monolith', 'read-new'), [
    /^a\.yaml:3:8: domain a jumps from monolith to read-new, past dual-write, shadow-read\. Make/,
  ]);
  t.match(jumps('monolith', 'write-new'), [/past dual-write, shadow-read, read-new\./]);
  t.match(jumps(null, 'shadow-read'), [/jumps from monolith to shadow-read, past dual-write\./], 'a new domain too');
  t.match(jumps('retired', 'monolith'), [/goes back from retired to monolith.* Restore that copy first\.$/]);
  for (const [index, phase] of PHASES.entries()) {
    t.strictSame(jumps(phase, phase), []);
    t.strictSame(jumps(PHASES[index - 1] ?? phase, phase), [], 'a step');
    if (phase !== 'retired') t.strictSame(jumps(phase, 'monolith'), [], 'a way back');
  }
});

t.test('for any two sets: no write moves, no table is in two domains, who is not concerned is as loaded', async () => {
  const tables = ['t', 'u', 'v', 'w', 'x', 'y'];
  const names = ['a', 'b', 'c', 'd'];
  // Each table gets a domain or none, so that no set names one twice; a domain without tables is not there.
  const rules = fc
    .record({
      owners: fc.array(fc.constantFrom<(string | null)[]>(null, ...names), { minLength: 6, maxLength: 6 }),
      kinds: fc.array(fc.tuple(fc.constantFrom('a_db', 'b_db'), fc.constantFrom(...PHASES)), {
        minLength: 4,
        maxLength: 4,
      }),
    })
    .map(({ owners, kinds }) =>
      names.flatMap((name, index): Rule[] => {
        const [database = 'a_db', phase = 'monolith'] = kinds[index] ?? [];
        const own = tables.filter((_, at) => owners[at] === name);
        return own.length === 0 ? [] : [[name, database, phase, ...own]];
      }),
    );
  fc.assert(
    fc.property(rules, rules, (first, second) => {
      const before = set(...first);
      const loaded = load(...second);
      const taken = takeRules(before, loaded);
      sound(before, loaded.rules, taken.rules, new Set(taken.pending.map(({ domain }) => domain)));
      for (const { reason } of taken.pending) if (!/^(writes of|public\.)/.test(reason)) throw new Error(reason);
    }),
    { numRuns: 2_000 },
  );
});

function sound(before: RuleSet, loaded: RuleSet, rules: RuleSet, held: ReadonlySet<string>): void {
  const home = (set: RuleSet, table: string): string => authoritative(set.tables.get(table) ?? null, 'monolith');
  const named = (set: RuleSet, name: string): Domain | null =>
    set.domains.find((domain) => domain.name === name) ?? null;
  const all = [...before.domains, ...loaded.domains];
  const seen = rules.domains.flatMap((domain) => domain.tables);
  if (new Set(seen).size !== seen.length) throw new Error(`a table in two domains: ${seen}`);
  for (const table of all.flatMap((domain) => domain.tables)) {
    if (home(rules, table) !== home(before, table)) throw new Error(`writes of ${table} moved`);
  }
  for (const { name } of all) {
    const expected = named(held.has(name) ? before : loaded, name);
    if (JSON.stringify(named(rules, name)) !== JSON.stringify(expected))
      throw new Error(`${name} is neither old nor new`);
    if (held.has(name) && !concerned(name, before, loaded, held)) throw new Error(`${name} is held for nothing`);
  }
  // The maps agree with the domains.
  const rebuilt = buildRuleSet(rules.domains, { defaultDatabase: 'monolith', version: rules.version });
  if (rebuilt.tables.size !== rules.tables.size) throw new Error('tables and domains differ');
}

/** A domain may be held for a table of its old or new rule that would be written elsewhere, or that it shares with another held one. */
function concerned(name: string, before: RuleSet, loaded: RuleSet, held: ReadonlySet<string>): boolean {
  const home = (set: RuleSet, table: string): string => authoritative(set.tables.get(table) ?? null, 'monolith');
  const own = [...before.domains, ...loaded.domains].filter((domain) => domain.name === name);
  return own
    .flatMap((domain) => domain.tables)
    .some((table) => {
      const others = [before, loaded].map((set) => set.tables.get(table)?.name);
      return (
        home(before, table) !== home(loaded, table) || others.some((other) => other !== name && held.has(other ?? ''))
      );
    });
}
