import type { KeyRow, UnsteadyRow } from './rows.js';

/* Rows as the queries of section-queries.ts give them. */

export type RawRelation = readonly [oid: number, schema: string, name: string, kind: string];
export type RawPair = readonly [oid: number, other: number];

export type RawRewrite = readonly [
  relation: number,
  kind: string,
  rule: number,
  xmin: string,
  name: string,
  event: string,
  instead: boolean,
  qualified: boolean,
  relations: readonly number[],
  functions: readonly number[],
];

/** The rule that makes a relation a view. */
export const isViewRule = ([, , , , name, event]: RawRewrite): boolean => event === '1' && name === '_RETURN';

export type RawTrigger = readonly [
  relation: number,
  name: string,
  type: number,
  columns: readonly string[] | null,
  functions: readonly number[],
];

export type RawPolicy = readonly [
  relation: number,
  name: string,
  command: string,
  relations: readonly number[],
  functions: readonly number[],
];

export type RawExpression = readonly [
  relation: number,
  sort: 'default' | 'generated' | 'check',
  name: string,
  functions: readonly number[],
];

export type RawFunction = readonly [
  oid: number,
  xmin: string,
  schema: string,
  name: string,
  kind: string,
  language: string,
  volatility: string,
  searchPath: string | null,
  extension: string | null,
  support: readonly number[] | null,
];

export interface RawRows {
  readonly schemas: string;
  readonly types: readonly [number, string, string, string];
  readonly relations: RawRelation;
  readonly owners: RawPair;
  readonly draws: RawPair;
  readonly inherits: RawPair;
  readonly rewrites: RawRewrite;
  readonly triggers: RawTrigger;
  readonly policies: RawPolicy;
  readonly expressions: RawExpression;
  readonly foreignKeys: readonly [number, number, string, string, 0 | 1, ...(readonly string[] | null)[]];
  readonly unsteady: UnsteadyRow;
  readonly keys: KeyRow;
  readonly functions: RawFunction;
}
