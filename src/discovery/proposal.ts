/** What a discovery proposes: bounded contexts, in the order in which to take them out, and whether to split at all. */
export interface Proposal {
  /** In the order of extraction. */
  readonly contexts: readonly Context[];
  /** Tables with no tie to any other and no traffic: nothing can be said of them. */
  readonly unplaced: readonly string[];
  /** Modularity of the partition, -0.5 to 1 (Newman and Girvan 2004): above 0.3 the graph has parts worth the name. */
  readonly modularity: number;
  /** Sentences that speak against splitting, from the figures; none: nothing does. */
  readonly advice: readonly string[];
  readonly sharedWriters: readonly SharedWriter[];
}

export interface Context {
  /** Valid as the name of a domain. */
  readonly name: string;
  /** 'schema.table', sorted. */
  readonly tables: readonly string[];
  /** The service that writes most of it; null: none writes, or none most. */
  readonly owner: string | null;
  readonly writers: readonly string[];
  /** Services that only read. */
  readonly readers: readonly string[];
  /** Weight of the ties among its tables, of the weight of all ties that its tables have: 0 to 1. */
  readonly cohesion: number;
  /** Ties to other contexts, the heaviest first. */
  readonly cuts: readonly Cut[];
  readonly risk: Risk;
  /** Why it has its place in the order. */
  readonly reason: string;
}

/** A tie between two tables that a split would cut. */
export interface Cut {
  /** In this context, and in the other. */
  readonly table: string;
  readonly other: string;
  readonly otherContext: string;
  readonly weight: number;
  /** Statements that join them (refused ones too), and transactions that write both. */
  readonly joins: number;
  readonly transactions: number;
  /** Foreign keys, cascades, views ... by name. */
  readonly definitions: readonly string[];
}

export interface Risk {
  /** 0 (none) to 1. */
  readonly score: number;
  /** Weight of the cut ties, of the weight of all its ties: 1 - cohesion. */
  readonly cutShare: number;
  readonly transactionsCut: number;
  readonly joinsCut: number;
  readonly foreignKeysCut: number;
  /** Services other than the owner that write it. */
  readonly otherWriters: number;
  /** Statements that write it, of all that write anything: 0 to 1. */
  readonly writeShare: number;
}

/** A table that more than one service writes. */
export interface SharedWriter {
  readonly table: string;
  /** The busiest first. */
  readonly writers: readonly { readonly service: string; readonly statements: number }[];
}
