import type { Access, Cell, Matrix, Pair } from './matrix.js';

/**
 * A matrix as JSON text, for the pipes between processes: names and statements, which recur from cell to cell, stand in
 * it once.
 *
 * {"strings": [...], "cells": [[service, table, access, database, example, statements, hidden, errors, refused, rows,
 * seconds, first, last], ...], "pairs": [[service, kind, a, b, exampleA, exampleB, count, refused, first, last], ...]}
 * where what is text is its place in `strings`.
 */
interface Wire {
  readonly strings: readonly string[];
  readonly cells: readonly (readonly number[])[];
  readonly pairs: readonly (readonly number[])[];
}

export function matrixToText({ cells, pairs }: Matrix): string {
  const strings = new Map<string, number>();
  const place = (text: string): number => {
    let at = strings.get(text);
    if (at === undefined) {
      at = strings.size;
      strings.set(text, at);
    }
    return at;
  };
  const cellRows = cells.map((c) => [
    ...[c.service, c.table, c.access, c.database, c.example].map(place),
    ...[c.statements, c.hidden, c.errors, c.refused, c.rows, c.seconds, c.first, c.last],
  ]);
  const pairRows = pairs.map((p) => [
    ...[p.service, p.kind, p.a, p.b, p.exampleA, p.exampleB].map(place),
    ...[p.count, p.refused, p.first, p.last],
  ]);
  const wire: Wire = { strings: [...strings.keys()], cells: cellRows, pairs: pairRows };
  return JSON.stringify(wire);
}

/** @param text that `matrixToText` made */
export function matrixFromText(text: string): Matrix {
  const { strings, cells, pairs }: Wire = JSON.parse(text);
  const at = (row: readonly number[], column: number): string => strings[row[column] ?? -1] ?? '';
  const of = (row: readonly number[], column: number): number => row[column] ?? 0;
  return {
    cells: cells.map(
      (row): Cell => ({
        service: at(row, 0),
        table: at(row, 1),
        access: at(row, 2) as Access,
        database: at(row, 3),
        example: at(row, 4),
        statements: of(row, 5),
        hidden: of(row, 6),
        errors: of(row, 7),
        refused: of(row, 8),
        rows: of(row, 9),
        seconds: of(row, 10),
        first: of(row, 11),
        last: of(row, 12),
      }),
    ),
    pairs: pairs.map(
      (row): Pair => ({
        service: at(row, 0),
        kind: at(row, 1) as Pair['kind'],
        a: at(row, 2),
        b: at(row, 3),
        exampleA: at(row, 4),
        exampleB: at(row, 5),
        count: of(row, 6),
        refused: of(row, 7),
        first: of(row, 8),
        last: of(row, 9),
      }),
    ),
  };
}
