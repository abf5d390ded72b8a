import { Interner } from './interner.js';
import type { Access, Cell } from './matrix.js';

const ACCESSES = ['read', 'write', 'ddl', 'opaque'] as const satisfies readonly Access[];

/** Columns of numbers: statements, hidden, errors, refused, rows, seconds, first, last. */
const NUMBERS = 8;
/** Columns of texts: service, table, place (access and database), example. */
const TEXTS = 4;
const FIRST_ROWS = 16;
/** More than accesses times databases, and small, so that keys of thousands of tables are small whole numbers. */
const PLACES = 4_096;

/**
 * Cells in columns of numbers, added up by service, table, access and database: about 120 bytes each, where objects with
 * their keys take 600. A schema of 5,000 tables that 60 services use has 300,000 of them.
 */
export class CellColumns {
  readonly #services = new Interner();
  readonly #tables = new Interner();
  readonly #databases = new Interner();
  readonly #examples = new Interner();
  /** By service: table and place in one number -> row. */
  readonly #rows = new Map<number, Map<number, number>>();
  #numbers = new Float64Array(FIRST_ROWS * NUMBERS);
  #texts = new Int32Array(FIRST_ROWS * TEXTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @param hasRoom asked before a new row is made. @returns false where there was none */
  add(cell: Cell, hasRoom: () => boolean): boolean {
    const isNew = !(
      this.#services.has(cell.service) &&
      this.#tables.has(cell.table) &&
      this.#databases.has(cell.database)
    );
    // Names that are not to be kept must not be remembered either.
    if (isNew && !hasRoom()) return false;
    const service = this.#services.numberOf(cell.service);
    const table = this.#tables.numberOf(cell.table);
    const place = ACCESSES.indexOf(cell.access) + ACCESSES.length * this.#databases.numberOf(cell.database);
    let rows = this.#rows.get(service);
    if (rows === undefined) {
      rows = new Map();
      this.#rows.set(service, rows);
    }
    const key = table * PLACES + place;
    const known = rows.get(key);
    if (known !== undefined) {
      this.#addTo(known, cell);
      return true;
    }
    if (!hasRoom()) return false;
    const row = this.#size++;
    if (this.#size * NUMBERS > this.#numbers.length) this.#grow();
    rows.set(key, row);
    this.#texts.set([service, table, place, this.#examples.numberOf(cell.example)], row * TEXTS);
    const { statements, hidden, errors, refused, seconds, first, last } = cell;
    this.#numbers.set([statements, hidden, errors, refused, cell.rows, seconds, first, last], row * NUMBERS);
    return true;
  }

  #addTo(row: number, cell: Cell): void {
    const numbers = this.#numbers;
    const at = row * NUMBERS;
    const sum = (column: number, more: number): void => {
      numbers[at + column] = (numbers[at + column] as number) + more;
    };
    sum(0, cell.statements);
    sum(1, cell.hidden);
    sum(2, cell.errors);
    sum(3, cell.refused);
    sum(4, cell.rows);
    sum(5, cell.seconds);
    numbers[at + 6] = Math.min(numbers[at + 6] as number, cell.first);
    numbers[at + 7] = Math.max(numbers[at + 7] as number, cell.last);
    const example = row * TEXTS + 3;
    if (cell.example !== '' && this.#examples.textOf(this.#texts[example] as number) === '') {
      this.#texts[example] = this.#examples.numberOf(cell.example);
    }
  }

  #grow(): void {
    const numbers = new Float64Array(this.#numbers.length * 2);
    const texts = new Int32Array(this.#texts.length * 2);
    numbers.set(this.#numbers);
    texts.set(this.#texts);
    this.#numbers = numbers;
    this.#texts = texts;
  }

  /** The cell of a row, from 0, in the order in which they came. */
  at(row: number): Cell {
    const number = (column: number): number => this.#numbers[row * NUMBERS + column] as number;
    const text = (column: number): number => this.#texts[row * TEXTS + column] as number;
    const place = text(2);
    return {
      service: this.#services.textOf(text(0)),
      table: this.#tables.textOf(text(1)),
      access: ACCESSES[place % ACCESSES.length] as Access,
      database: this.#databases.textOf(Math.floor(place / ACCESSES.length)),
      statements: number(0),
      hidden: number(1),
      errors: number(2),
      refused: number(3),
      rows: number(4),
      seconds: number(5),
      first: number(6),
      last: number(7),
      example: this.#examples.textOf(text(3)),
    };
  }
}
