import type { Discovery } from '../discovery.js';
import type { Proposal } from '../proposal.js';
import { compare } from './format.js';

/** What a table is shown under: the domain that it has today, else the context proposed for it. */
export interface Group {
  /** From 0, in the order of the page; the reader sees one more. Gives the colour too. */
  readonly index: number;
  readonly name: string;
  readonly kind: 'domain' | 'context' | 'none';
}

export interface Groups {
  readonly all: readonly Group[];
  of(table: string): Group;
  /** Whether a cut between domains (between contexts, where one of the two has no domain) parts the two. */
  parts(a: string, b: string): boolean;
}

export const KIND_TEXT: Readonly<Record<Group['kind'], string>> = {
  domain: 'domain',
  context: 'proposed context',
  none: 'neither domain nor context',
};

export function groupsOf(discovery: Discovery, proposal: Proposal): Groups {
  const contexts = new Map<string, string>();
  for (const { name, tables } of proposal.contexts) for (const table of tables) contexts.set(table, name);

  const byKey = new Map<string, Group>();
  const add = (kind: Group['kind'], name: string): void => {
    const key = `${kind}\0${name}`;
    if (!byKey.has(key)) byKey.set(key, { index: byKey.size, name, kind });
  };
  for (const name of [...discovery.domains.values()].sort(compare)) add('domain', name);
  for (const { name, tables } of proposal.contexts) {
    if (tables.some((table) => !discovery.domains.has(table))) add('context', name);
  }
  const none: Group = { index: byKey.size, name: 'no group', kind: 'none' };

  return {
    all: [...byKey.values(), none],
    of(table) {
      const domain = discovery.domains.get(table);
      if (domain !== undefined) return byKey.get(`domain\0${domain}`) ?? none;
      return byKey.get(`context\0${contexts.get(table) ?? ''}`) ?? none;
    },
    parts(a, b) {
      const [domainA, domainB] = [discovery.domains.get(a), discovery.domains.get(b)];
      if (domainA !== undefined && domainB !== undefined) return domainA !== domainB;
      return contexts.get(a) !== contexts.get(b);
    },
  };
}
