import { type Document, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Problems } from './problems.js';

export type Path = readonly (string | number)[];

/**
 * One YAML file with the place of everything in it, so that a complaint about a value can name line and
 * column. Values are plain data; keys without a value (`listen:` with all below it commented out) count as
 * not given. Syntax errors and doubled keys go to `problems`.
 */
export class YamlFile {
  readonly file: string;
  readonly value: unknown;
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #problems: Problems;

  constructor(file: string, text: string, problems: Problems) {
    this.file = file;
    this.#problems = problems;
    this.#lines = new LineCounter();
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    for (const error of this.#document.errors) {
      const { line, col } = this.#lines.linePos(error.pos[0]);
      // The parser quotes the offending text in some messages; it may be a secret, so only the first line, without it.
      problems.add(file, line, col, `not valid YAML: ${plain(error.message)}. Correct the text at this place`);
    }
    this.value = this.#document.errors.length > 0 ? null : withoutNulls(this.#document.toJS({ maxAliasCount: 100 }));
  }

  /** Complains about the value at `path` (or, where it is missing, about the nearest thing that stands around it). */
  complain(path: Path, what: string): void {
    const { line, column } = this.#at(path, false);
    this.#problems.add(this.file, line, column, what);
  }

  /** Complains about the key that ends `path`, not about its value. */
  complainOfKey(path: Path, what: string): void {
    const { line, column } = this.#at(path, true);
    this.#problems.add(this.file, line, column, what);
  }

  /** 'file:line:column' of the value at `path`, for messages that point at a second place. */
  place(path: Path): string {
    const { line, column } = this.#at(path, false);
    return `${this.file}:${line}:${column}`;
  }

  #at(path: Path, key: boolean): { line: number; column: number } {
    let node: unknown = this.#document.contents;
    let offset = startOf(node) ?? 0;
    for (const [index, step] of path.entries()) {
      if (isMap(node)) {
        const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
        if (pair === undefined) break;
        const last = index === path.length - 1;
        offset = (last && !key ? startOf(pair.value) : null) ?? startOf(pair.key) ?? offset;
        node = pair.value;
      } else if (isSeq(node)) {
        node = node.items[Number(step)];
        offset = startOf(node) ?? offset;
      } else break;
    }
    const { line, col } = this.#lines.linePos(offset);
    // An empty file has no line at all.
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

function startOf(node: unknown): number | null {
  if (typeof node !== 'object' || node === null || !('range' in node)) return null;
  const range: unknown = node.range;
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : null;
}

function plain(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/:? ?["'].*$/, '').replace(/[.:]$/, '');
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, withoutNulls(inner)]),
  );
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
