import type { Matrix } from '../../matrix/matrix.js';

/** The matrix as one JSON object {"cells": [...], "pairs": [...]}: the fields of Cell and Pair, times as ISO 8601. */
export function matrixJson(matrix: Matrix): string {
  return `${JSON.stringify(plainMatrix(matrix))}\n`;
}

export function plainMatrix({ cells, pairs }: Matrix): { readonly cells: object[]; readonly pairs: object[] } {
  return { cells: cells.map(withTimes), pairs: pairs.map(withTimes) };
}

const withTimes = <T extends { readonly first: number; readonly last: number }>(entry: T): object => ({
  ...entry,
  first: new Date(entry.first).toISOString(),
  last: new Date(entry.last).toISOString(),
});
