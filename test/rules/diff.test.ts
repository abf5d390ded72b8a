import t from 'tap';
import { diffDomains, diffTables, readsOf } from '../../src/rules/diff.js';
import { parseRules } from '../../src/rules/load.js';
import type { RuleSet } from '../../src/rules/rule-set.js';

const set = (files: Readonly<Record<string, string>>): RuleSet =>
  parseRules(
    new Map(Object.entries(files).map(([name, text]) => [`${name}.yaml`, `domain: ${name}\ndatabase: a_db\n${text}`])),
    { databases: ['monolith', 'a_db'], default: 'monolith', version: 1 },
  );

t.test('tables that are added, removed, in another domain, or read elsewhere', async (t) => {
  const before = set({
    a: 'phase: shadow-read\ntables: [public.t, public.u]\n',
    b: 'phase: write-new\ntables: [public.v, public.w]\n',
  });
  const after = set({
    a: 'phase: read-new\nreads: { new: 10% }\ntables: [public.t, public.x]\n',
    b: 'phase: write-new\ntables: [public.v]\n',
    c: 'tables: [public.u]\n',
  });
  const both = (value: string | null): { from: string | null; to: string | null } => ({ from: value, to: value });
  t.strictSame(diffTables(before, after), [
    {
      table: 'public.t',
      domain: both('a'),
      phase: { from: 'shadow-read', to: 'read-new' },
      reads: { from: 'monolith', to: 'a_db for 10% of sessions, else monolith' },
      writes: both('monolith'),
    },
    {
      table: 'public.u',
      domain: { from: 'a', to: 'c' },
      phase: { from: 'shadow-read', to: 'monolith' },
      reads: both('monolith'),
      writes: both('monolith'),
    },
    {
      table: 'public.w',
      domain: { from: 'b', to: null },
      phase: { from: 'write-new', to: null },
      reads: { from: 'a_db', to: 'monolith' },
      writes: { from: 'a_db', to: 'monolith' },
    },
    {
      table: 'public.x',
      domain: { from: null, to: 'a' },
      phase: { from: null, to: 'read-new' },
      reads: { from: 'monolith', to: 'a_db for 10% of sessions, else monolith' },
      writes: both('monolith'),
    },
  ]);
  t.strictSame(diffTables(before, before), []);
});

t.test('domains, key by key', async (t) => {
  const before = set({ a: 'tables: [public.t]\nowner: x\n', b: 'tables: [public.u]\n' });
  const after = set({ a: 'tables: [public.t, public.v]\nmirror: { apply: async }\n', c: 'tables: [public.u]\n' });
  t.match(diffDomains(before, after), [
    {
      domain: 'a',
      change: 'changed',
      keys: { owner: { from: 'x', to: '' }, mirror: { from: '', to: /"apply":"async"/ } },
    },
    { domain: 'b', change: 'removed' },
    { domain: 'c', change: 'added', keys: { phase: { from: '', to: 'monolith' } } },
  ]);
  t.strictSame(diffDomains(before, before), []);
});

t.test('where a table is read, in words', async (t) => {
  const reads = (given: string): string =>
    readsOf(set({ a: `phase: read-new\ntables: [public.t]\nreads: ${given}\n` }).domains[0] ?? null, 'monolith');
  t.equal(reads('{}'), 'a_db');
  t.equal(reads('{ new: 0% }'), 'monolith');
  t.equal(reads('{ services: [x] }'), 'a_db for service x, else monolith');
  t.equal(reads('{ services: [x, y], new: 5% }'), 'a_db for 5% of sessions and services x, y, else monolith');
  t.equal(readsOf(null, 'monolith'), 'monolith');
});
