import type { Matrix } from '../matrix/matrix.js';

/** What the definitions of a database tie together, whoever uses it. */
export interface StaticEdge {
  /**
   * 'foreign key': rows of `from` point to rows of `to`; 'cascade': the same, and a change of `to` changes `from`.
   * 'view', 'trigger', 'function', 'rule', 'policy': a definition on or behind `from` touches `to`.
   * 'sequence': `from` and `to` draw from one sequence.
   */
  readonly kind: 'foreign key' | 'cascade' | 'view' | 'trigger' | 'function' | 'rule' | 'policy' | 'sequence';
  /** 'schema.table' (a view for kind 'view'). */
  readonly from: string;
  readonly to: string;
  /** For people: 'orders_user_id_fkey', 'view public.v', 'trigger t on public.orders'. */
  readonly name: string;
}

export interface StaticGraph {
  /** Every table and partitioned table of users, partitions left out. */
  readonly tables: readonly string[];
  readonly views: readonly string[];
  readonly edges: readonly StaticEdge[];
}

/** All that a report or a proposal is made of. */
export interface Discovery {
  /** Where the matrix comes from, for people: 'traffic through pgfig', 'csvlog of 3 files'. */
  readonly source: string;
  /** Milliseconds since 1970 of the first and last statement; null: not known. */
  readonly since: number | null;
  readonly until: number | null;
  readonly matrix: Matrix;
  /** null: no database was asked. */
  readonly graph: StaticGraph | null;
  /** 'schema.table' -> domain, as the rules have it today. */
  readonly domains: ReadonlyMap<string, string>;
  /** Sentences that a reader should know: what was left out, and why. */
  readonly notes: readonly string[];
}
