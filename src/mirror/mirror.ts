import { authoritative } from '../rules/phases.js';
import type { Domain, MirrorRule, Phase } from '../rules/rule-set.js';

/** What keeps the copy of one domain in step: from where to where, and how. A frozen value, made of its rule. */
export interface Mirror {
  readonly domain: string;
  readonly phase: Phase;
  /** The authoritative database. */
  readonly source: string;
  /** The database whose copy is kept in step. */
  readonly target: string;
  /** 'schema.table' */
  readonly tables: readonly string[];
  readonly rule: MirrorRule;
}

/** What holds for a domain whose rule says nothing of its mirror. */
export const DEFAULT_MIRROR: MirrorRule = {
  capture: 'outbox',
  apply: 'sync',
  syncTimeout: 1_000,
  statementTimeout: 1_000,
  guard: 'on',
};

/** The phases in which the monolith is authoritative and a copy is kept in step with it. */
const MIRRORED: readonly Phase[] = ['dual-write', 'shadow-read', 'read-new'];

/** How the copy of a domain is kept in step; null: in its phase there is none, or pgfig has nothing to do with it. */
export function mirrorOf(domain: Domain, defaultDatabase: string): Mirror | null {
  if (!MIRRORED.includes(domain.phase) || domain.mirror?.capture === 'none') return null;
  return Object.freeze({
    domain: domain.name,
    phase: domain.phase,
    source: authoritative(domain, defaultDatabase),
    target: domain.database,
    tables: domain.tables,
    rule: domain.mirror ?? DEFAULT_MIRROR,
  });
}
