import type { Discovery } from '../../src/discovery/discovery.js';
import type { Proposal } from '../../src/discovery/proposal.js';
import { SHOP } from './sample-discovery.js';
import { SHOP_PROPOSAL } from './sample-proposal.js';

/** Each would run, load something, or end its place in the page, if it were put in as it is. */
export const HOSTILE_NAMES: readonly string[] = [
  '<script>globalThis.injected = 1</script>',
  '</script><script>globalThis.injected = 2</script>',
  '"><img src=x onerror="globalThis.injected = 3">',
  "' onmouseover='globalThis.injected = 4",
  '</title></style><svg onload=globalThis.injected=5>',
  '<!--<script>',
  ']]><script>globalThis.injected = 6</script>',
  '-->`+(globalThis.injected = 7)+`',
  'line\u2028paragraph\u2029end',
  'right\u202eto left\u0000\u0007\u001b[2J',
  '&lt;script&gt;&amp;',
  '\ud800 alone',
  'javascript:globalThis.injected=8',
  '__proto__',
  'constructor',
];

/** The shop with each of these as a service, a table, a domain, a context and a statement in each place that shows one. */
export function hostileDiscovery(): { readonly discovery: Discovery; readonly proposal: Proposal } {
  const [cell] = SHOP.matrix.cells;
  const [pair] = SHOP.matrix.pairs;
  const [context] = SHOP_PROPOSAL.contexts;
  if (cell === undefined || pair === undefined || context === undefined) throw new Error('the sample is empty');
  const [cut] = context.cuts;
  if (cut === undefined) throw new Error('the sample cuts nothing');
  const tables = HOSTILE_NAMES.map((name) => `public.${name}`);
  const discovery: Discovery = {
    ...SHOP,
    source: HOSTILE_NAMES.join(' '),
    matrix: {
      cells: HOSTILE_NAMES.flatMap((name) =>
        (['write', 'opaque'] as const).map((access) => {
          return {
            ...cell,
            service: name,
            table: access === 'opaque' ? name : `public.${name}`,
            access,
            example: name,
          };
        }),
      ),
      pairs: HOSTILE_NAMES.flatMap((name, index) =>
        (['join', 'transaction'] as const).map((kind) => {
          const b = `public.${HOSTILE_NAMES[(index + 1) % HOSTILE_NAMES.length]}`;
          return { ...pair, service: name, kind, a: `public.${name}`, b, exampleA: name, exampleB: `${name} ` };
        }),
      ),
    },
    graph: {
      tables: [...tables, ...HOSTILE_NAMES.map((name) => `unused.${name}`)],
      views: tables.slice(0, 3),
      edges: tables.map((from, index) => ({
        kind: 'trigger',
        from,
        to: tables[0] ?? '',
        name: HOSTILE_NAMES[index] ?? '',
      })),
    },
    domains: new Map(tables.slice(0, 8).map((table, index) => [table, HOSTILE_NAMES[index] ?? ''])),
    notes: HOSTILE_NAMES,
  };
  const proposal: Proposal = {
    ...SHOP_PROPOSAL,
    contexts: HOSTILE_NAMES.map((name) => ({
      ...context,
      name,
      tables: [`public.${name}`],
      owner: name,
      writers: [name, `${name} 2`],
      readers: [name],
      cuts: [{ ...cut, table: name, other: name, otherContext: name, definitions: [name] }],
      reason: name,
    })),
    unplaced: HOSTILE_NAMES,
    advice: HOSTILE_NAMES,
    sharedWriters: tables.map((table) => ({ table, writers: [{ service: table, statements: 1 }] })),
  };
  return { discovery, proposal };
}
