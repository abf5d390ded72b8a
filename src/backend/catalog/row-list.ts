import { lowerBound } from './sorted.js';

/** JSON has no tabs outside of strings, and writes those inside as \t. */
const SEPARATOR = '\t';

/** Rows as texts of JSON, each of which is parsed when somebody asks for it. */
export class RowList<R> {
  readonly #texts: readonly string[];

  private constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  static of<R>(rows: readonly R[]): RowList<R> {
    return new RowList(rows.map((row) => JSON.stringify(row)));
  }

  static fromText<R>(text: string): RowList<R> {
    return new RowList(text === '' ? [] : text.split(SEPARATOR));
  }

  get text(): string {
    return this.#texts.join(SEPARATOR);
  }

  at(place: number): R | undefined {
    const text = this.#texts[place];
    return text === undefined ? undefined : (JSON.parse(text) as R);
  }

  all(): readonly R[] {
    return this.#texts.map((text) => JSON.parse(text) as R);
  }

  /** Rows that begin with that OID, of rows in the order of their first. */
  of(oid: number): readonly R[] {
    const texts = this.#texts;
    const firstOf = (place: number): number => Number.parseInt((texts[place] ?? '').slice(1), 10);
    const from = lowerBound(texts.length, firstOf, oid);
    let to = from;
    while (to < texts.length && firstOf(to) === oid) to += 1;
    return texts.slice(from, to).map((text) => JSON.parse(text) as R);
  }
}
