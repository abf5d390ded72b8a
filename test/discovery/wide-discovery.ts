import type { Discovery } from '../../src/discovery/discovery.js';
import type { Proposal } from '../../src/discovery/proposal.js';
import type { Cell, Pair } from '../../src/matrix/matrix.js';

const FIRST = Date.UTC(2026, 0, 1);

/** Many tables and services. `usersOfEach`: services that use a table; as many as there are services is the worst case. */
export function wideDiscovery(tables: number, services: number, usersOfEach: number): Discovery {
  const cells: Cell[] = [];
  const pairs: Pair[] = [];
  for (let table = 0; table < tables; table += 1) {
    for (let nth = 0; nth < usersOfEach; nth += 1) {
      const service = (Math.floor((table * services) / tables) + nth) % services;
      cells.push(cellOf(table, service, nth === 0 ? 'write' : 'read', 1 + Math.floor(5_000_000 / (1 + table + nth))));
    }
    if (table > 0) pairs.push(pairOf(table - 1, table, 1 + (table % 977)));
    if (table > 100 && table % 10 === 0) pairs.push(pairOf(table - 100, table, 1 + (table % 31)));
  }
  return {
    source: 'made up',
    since: FIRST,
    until: FIRST + 1,
    matrix: { cells, pairs },
    graph: null,
    domains: new Map(),
    notes: [],
  };
}

export const wideProposal = (tables: number): Proposal => ({
  contexts: Array.from({ length: Math.ceil(tables / 100) }, (_, index) => ({
    name: `context-${index}`,
    tables: Array.from({ length: Math.min(100, tables - index * 100) }, (_, nth) => nameOf(index * 100 + nth)),
    owner: `service-${index % 60}`,
    writers: [`service-${index % 60}`],
    readers: [],
    cohesion: 0.5,
    cuts: [],
    risk: {
      score: 0.5,
      cutShare: 0.5,
      transactionsCut: 0,
      joinsCut: 10,
      foreignKeysCut: 0,
      otherWriters: 0,
      writeShare: 0.1,
    },
    reason: 'As the others.',
  })),
  unplaced: [],
  modularity: 0.5,
  advice: [],
  sharedWriters: [],
});

const nameOf = (table: number): string => `public.some_table_number_${String(table).padStart(4, '0')}`;

const example = (table: number): string =>
  `SELECT a.id, a.name, a.created_at, a.state FROM some_table_number_${table} a WHERE a.tenant_id = $1 AND a.state = ? AND a.created_at > now() - interval ? ORDER BY a.created_at DESC LIMIT ?`;

const cellOf = (table: number, service: number, access: Cell['access'], statements: number): Cell => ({
  service: `service-${service}`,
  table: nameOf(table),
  access,
  database: 'monolith',
  statements,
  hidden: 0,
  errors: 0,
  refused: 0,
  rows: statements,
  seconds: 1,
  first: FIRST,
  last: FIRST,
  example: example(table),
});

const pairOf = (a: number, b: number, count: number): Pair => ({
  service: `service-${a % 60}`,
  kind: a % 3 === 0 ? 'transaction' : 'join',
  a: nameOf(a),
  b: nameOf(b),
  count,
  refused: 0,
  first: FIRST,
  last: FIRST,
  exampleA: example(a),
  exampleB: '',
});
