import type pg from 'pg';
import { type Column, type KeyColumn, literal, qualified, type TableShape } from '../../mirror/shape/table-shape.js';
import { inRange, type KeyRange, type KeyValues, keyOrder, keysOf, keyText, sameKey, textArray } from './key-sql.js';
import { rawRows } from './raw-rows.js';
import type { RowHash } from './row-hash.js';
import { columnText, rowText } from './row-text.js';

/** Rows, and the sums of both halves of their hashes, which grow beyond 64 bits. */
export interface Sums {
  readonly rows: number;
  readonly first: bigint;
  readonly second: bigint;
}

export const sameSums = (a: Sums, b: Sums): boolean =>
  a.rows === b.rows && a.first === b.first && a.second === b.second;

/** The sums of what is left when a part is taken away. */
export const sumsWithout = (whole: Sums, part: Sums): Sums => ({
  rows: whole.rows - part.rows,
  first: whole.first - part.first,
  second: whole.second - part.second,
});

/** A row by its key's text. */
export interface HashedRow {
  readonly key: string;
  readonly hash: string;
}

const EMPTY: Sums = { rows: 0, first: 0n, second: 0n };

/** One table on one side: what verify asks of it. Texts of keys are as in the outbox. */
export class TableSide {
  readonly #client: pg.ClientBase;
  readonly #shape: TableShape;
  readonly #key: readonly KeyColumn[];
  readonly #columns: readonly Column[];
  readonly #hash: RowHash;

  /**
   * @param key the source's, on both sides
   * @param columns those that are compared, in the source's order
   */
  constructor(
    client: pg.ClientBase,
    shape: TableShape,
    key: readonly KeyColumn[],
    columns: readonly Column[],
    hash: RowHash,
  ) {
    this.#client = client;
    this.#shape = shape;
    this.#key = key;
    this.#columns = columns;
    this.#hash = hash;
  }

  /** The key of the `rows`-th row of the range; null: it has fewer. Reads the index alone where that is possible. */
  async bound(range: KeyRange, rows: number): Promise<KeyValues | null> {
    const columns = this.#key.map((column) => keyText([column])).join(', ');
    const [row] = await rawRows(
      this.#client,
      `SELECT ${columns} FROM ${this.#from} WHERE ${inRange(this.#key, range)}
        ORDER BY ${keyOrder(this.#key)} OFFSET ${rows - 1} LIMIT 1`,
    );
    return row === undefined ? null : row.map((text) => text ?? '');
  }

  async sums(range: KeyRange): Promise<Sums> {
    const [row] = await rawRows(
      this.#client,
      `SELECT ${this.#sums} FROM (SELECT ${this.#digest} AS h FROM ${this.#from}
        WHERE ${inRange(this.#key, range)} OFFSET 0) r`,
    );
    return sumsOf(row);
  }

  /** The same with the keys' texts, as the text of an array. */
  async sumsAndKeys(range: KeyRange): Promise<Sums & { readonly keys: string }> {
    const [row] = await rawRows(
      this.#client,
      `SELECT ${this.#sums}, array_agg(key)::text FROM (SELECT ${keyText(this.#key)} AS key, ${this.#digest} AS h
         FROM ${this.#from} WHERE ${inRange(this.#key, range)} OFFSET 0) r`,
    );
    return { ...sumsOf(row), keys: row?.[3] ?? '{}' };
  }

  /** @param keys text of an array of keys' texts */
  async sumsOfKeys(keys: string): Promise<Sums> {
    if (keys === '{}') return EMPTY;
    const [row] = await rawRows(
      this.#client,
      `SELECT ${this.#sums} FROM (SELECT ${this.#digest} AS h FROM ${this.#join(`${literal(keys)}::text[]`)} OFFSET 0) r`,
    );
    return sumsOf(row);
  }

  /** The rows of the range with their hashes. For small ranges. */
  async rows(range: KeyRange): Promise<HashedRow[]> {
    const rows = await rawRows(
      this.#client,
      `SELECT key, ${this.#halves} FROM (SELECT ${keyText(this.#key)} AS key, ${this.#digest} AS h FROM ${this.#from}
        WHERE ${inRange(this.#key, range)} ORDER BY ${keyOrder(this.#key)} OFFSET 0) r`,
    );
    return rows.map(([key, first, second]) => ({ key: key ?? '', hash: `${first} ${second}` }));
  }

  /** The rows that have these keys, each with the text that was given. */
  async rowsOfKeys(keys: readonly string[]): Promise<(HashedRow & { readonly asked: string })[]> {
    if (keys.length === 0) return [];
    const rows = await rawRows(
      this.#client,
      `SELECT asked, key, ${this.#halves} FROM (SELECT k.key AS asked, ${keyText(this.#key)} AS key, ${this.#digest} AS h
         FROM ${this.#join(textArray(keys))} OFFSET 0) r`,
    );
    return rows.map(([asked, key, ...halves]) => ({ asked: asked ?? '', key: key ?? '', hash: halves.join(' ') }));
  }

  /** Keys' texts of the range, as the text of an array. */
  async keys(range: KeyRange): Promise<string> {
    const [row] = await rawRows(
      this.#client,
      `SELECT array_agg(${keyText(this.#key)})::text FROM ${this.#from} WHERE ${inRange(this.#key, range)}`,
    );
    return row?.[0] ?? '{}';
  }

  /** Which of the keys have no row here. @param keys text of an array of keys' texts */
  async absent(keys: string): Promise<string[]> {
    if (keys === '{}') return [];
    const rows = await rawRows(
      this.#client,
      `SELECT k.key FROM ${keysOf(this.#key, `${literal(keys)}::text[]`)}
        WHERE NOT EXISTS (SELECT FROM ${this.#from} WHERE ${sameKey(this.#key)}) ORDER BY k.n`,
    );
    return rows.map(([key]) => key ?? '');
  }

  /** The texts of all compared columns of the rows that have these keys, by the text that was given. */
  async values(keys: readonly string[]): Promise<Map<string, (string | null)[]>> {
    const texts = this.#columns.map((column) => columnText(column)).join(', ');
    const rows = await rawRows(this.#client, `SELECT k.key, ${texts} FROM ${this.#join(textArray(keys))}`);
    return new Map(rows.map(([key, ...values]) => [key ?? '', values]));
  }

  /** Digests in place of the values: those may be big. */
  async digests(keys: readonly string[]): Promise<Map<string, (string | null)[]>> {
    const texts = this.#columns.map((column) => {
      const [first, second] = this.#hash.halves(this.#hash.digest(`${columnText(column)} COLLATE "C"`));
      return `${first}::text || ' ' || ${second}::text`;
    });
    const rows = await rawRows(this.#client, `SELECT k.key, ${texts.join(', ')} FROM ${this.#join(textArray(keys))}`);
    return new Map(rows.map(([key, ...values]) => [key ?? '', values]));
  }

  get #from(): string {
    return `${qualified(this.#shape)} t`;
  }

  get #digest(): string {
    return this.#hash.digest(`(${rowText(this.#columns)})`);
  }

  get #sums(): string {
    const [first, second] = this.#hash.halves('h');
    return `count(*), coalesce(sum(${first}), 0), coalesce(sum(${second}), 0)`;
  }

  get #halves(): string {
    return this.#hash.halves('h').join(', ');
  }

  #join(keys: string): string {
    return `${keysOf(this.#key, keys)} JOIN ${this.#from} ON ${sameKey(this.#key)}`;
  }
}

const sumsOf = (row: readonly (string | null)[] | undefined): Sums => ({
  rows: Number(row?.[0] ?? 0),
  first: BigInt(row?.[1] ?? 0),
  second: BigInt(row?.[2] ?? 0),
});
