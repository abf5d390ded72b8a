import { MOST_PAIRED } from './footprint.js';
import type { Cell, Matrix, Pair } from './matrix.js';
import { MatrixSum } from './matrix-sum.js';
import type { Tally } from './tally.js';
import { WorkNode } from './work-node.js';

/** More than these are counted together; `services` in pgfig.yaml maps such names to those that are meant. */
export const MOST_SERVICES = 1000;
export const OTHER_SERVICES = '(other services)';
/** Postgres cuts application_name and user at 63 bytes; a mapping may make longer ones. */
const LONGEST_SERVICE = 200;

/** What one worker, or one reading of a log, has counted since the last harvest. */
export class TallyBook {
  #dirty: Tally[] = [];
  #dirtyWork: WorkNode[] = [];
  /** Every transaction begins here; what many of them write in the same order is one path from it. */
  #root = new WorkNode(null, null);
  /** Transactions that wrote more tables than are paired. */
  wide = 0;
  /** Services that were counted under OTHER_SERVICES. */
  crowded = 0;
  readonly #services = new Set<string>();

  /** The name that a service is counted under: names with a process id or a request in them must not fill the memory. */
  serviceOf(given: string): string {
    const name = given.slice(0, LONGEST_SERVICE);
    if (this.#services.has(name)) return name;
    if (this.#services.size >= MOST_SERVICES) {
      this.crowded++;
      return OTHER_SERVICES;
    }
    this.#services.add(name);
    return name;
  }

  /** A statement was carried out. @param seconds since it arrived */
  done(tally: Tally, rows: number, seconds: number): void {
    if (!tally.dirty) this.#mark(tally);
    tally.statements++;
    tally.rows += rows;
    tally.micros += Math.round(seconds * 1e6);
  }

  /** More rows and time of a statement that was counted before: the next part of a portal. */
  more(tally: Tally, rows: number, seconds: number): void {
    if (!tally.dirty) this.#mark(tally);
    tally.rows += rows;
    tally.micros += Math.round(seconds * 1e6);
  }

  failed(tally: Tally): void {
    if (!tally.dirty) this.#mark(tally);
    tally.errors++;
  }

  refused(tally: Tally): void {
    if (!tally.dirty) this.#mark(tally);
    tally.refused++;
  }

  #mark(tally: Tally): void {
    tally.dirty = true;
    this.#dirty.push(tally);
  }

  /** Where a transaction begins that has written nothing yet. */
  get nothingWritten(): WorkNode {
    return this.#root;
  }

  /** A transaction is committed. @param at when, in ms since 1970, where the source knows; else 0 */
  committed(work: WorkNode, at = 0): void {
    const { tables } = work;
    if (tables < 2) return;
    if (tables > MOST_PAIRED) {
      this.wide++;
      return;
    }
    if (work.count === 0) work.first = at;
    work.last = at;
    this.#markWork(work);
    work.count++;
  }

  /** A transaction was not allowed to write what the last step of `work` adds: another database would have to. */
  refusedTogether(work: WorkNode): void {
    if (work.tables < 2 || work.tables > MOST_PAIRED) return;
    this.#markWork(work);
    work.refused++;
  }

  #markWork(work: WorkNode): void {
    if (work.count + work.refused === 0) this.#dirtyWork.push(work);
  }

  /** Statements and kinds of transactions that were counted since the last harvest. */
  get unharvested(): number {
    return this.#dirty.length + this.#dirtyWork.length;
  }

  /**
   * What was counted since the last harvest.
   * @param now ms since 1970: when what has no time of its own was seen
   * @param most so many of `unharvested`; about a microsecond or two each
   */
  harvest(now: number, most = Number.POSITIVE_INFINITY): Matrix {
    const sum = new MatrixSum();
    const works = this.#dirtyWork.splice(0, most);
    for (const work of works) {
      sum.add({ cells: [], pairs: transactionsOf(work, now) });
      work.count = 0;
      work.refused = 0;
    }
    for (const tally of this.#dirty.splice(0, most - works.length)) {
      sum.add({ cells: cellsOf(tally, now), pairs: joinsOf(tally, now) });
      tally.reset();
    }
    // Paths of statements that never come again must not be kept; transactions under way keep theirs.
    if (this.#dirtyWork.length === 0) this.#root = new WorkNode(null, null);
    return sum.matrix();
  }
}

function cellsOf(tally: Tally, now: number): Cell[] {
  const { service, database, statements, errors, refused, rows, example } = tally;
  const seconds = tally.micros / 1e6;
  const some = statements + refused > 0;
  const entries = tally.footprint.entries.filter(({ unknown }) => some || !unknown);
  return entries.map(({ table, access, named }) => ({
    service,
    table,
    access,
    database,
    statements,
    hidden: named ? 0 : statements,
    errors,
    refused,
    rows: named ? rows : 0,
    seconds,
    first: tally.first || now,
    last: tally.last || now,
    example,
  }));
}

function joinsOf(tally: Tally, now: number): Pair[] {
  const { service, statements, refused, example } = tally;
  const { joined } = tally.footprint;
  if (statements + refused === 0 || joined.length > MOST_PAIRED) return [];
  return pairsOf(joined, (a, b) => ({
    service,
    kind: 'join',
    a,
    b,
    count: statements,
    refused,
    first: tally.first || now,
    last: tally.last || now,
    exampleA: example,
    exampleB: '',
  }));
}

function transactionsOf(work: WorkNode, now: number): Pair[] {
  const examples = work.examples();
  const service = work.service();
  const pairs = pairsOf([...examples.keys()].sort(), (a, b) => ({
    service,
    kind: 'transaction',
    a,
    b,
    count: work.count,
    refused: work.adds(a, b) ? work.refused : 0,
    first: work.first || now,
    last: work.last || now,
    exampleA: examples.get(a) ?? '',
    exampleB: examples.get(b) ?? '',
  }));
  return pairs.filter(({ count, refused }) => count + refused > 0);
}

/** @param tables sorted */
function pairsOf(tables: readonly string[], make: (a: string, b: string) => Pair): Pair[] {
  return tables.flatMap((a, at) => tables.slice(at + 1).map((b) => make(a, b)));
}
