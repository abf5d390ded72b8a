import type { ErrorCode } from '../errors/error-table.js';
import { PgfigError } from '../errors/pgfig-error.js';

interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** Everything that is wrong with a set of files: collected first, shown together, in the order of the text. */
export class Problems {
  readonly #list: Problem[] = [];

  /** `text`: 'what is wrong. What to do'; never a value that may be secret. */
  add(file: string, line: number, column: number, text: string): void {
    this.#list.push({ file, line, column, text: text.endsWith('.') ? text : `${text}.` });
  }

  /** The same for a place that `YamlFile.place` gave: 'file:line:column'. */
  addAt(place: string, text: string): void {
    const [, file = place, line = '1', column = '1'] = /^(.*):(\d+):(\d+)$/s.exec(place) ?? [];
    this.add(file, Number(line), Number(column), text);
  }

  get count(): number {
    return this.#list.length;
  }

  /** One line each: 'file:line:column: what. What to do.' */
  get lines(): readonly string[] {
    const sorted = this.#list.toSorted(
      (a, b) => (a.file === b.file ? 0 : a.file < b.file ? -1 : 1) || a.line - b.line || a.column - b.column,
    );
    return [...new Set(sorted.map((p) => `${p.file}:${p.line}:${p.column}: ${p.text}`))];
  }

  /** @throws PgfigError of `code`, one line per problem, when there is any. */
  throwIfAny(code: ErrorCode): void {
    if (this.count > 0) throw new PgfigError(code, this.lines.join('\n'));
  }
}
