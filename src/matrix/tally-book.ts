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
  readonly #services = new Set<string>();

  /** The name that a service is counted under: names with a process id or a request in them must not fill the memory. */
  serviceOf(given: string): string {
    // Cut within a character, two names could be one to the database and two here.
    const name = Buffer.from(given.slice(0, LONGEST_SERVICE), 'utf8').toString('utf8');
    if (this.#services.has(name)) return name;
    if (this.#services.size >= MOST_SERVICES) return OTHER_SERVICES;
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
   * What was counted since the last harvest, the oldest first.
   * @param now ms since 1970: when what has no time of its own was seen
   * @param most cells and pairs to make, about two microseconds each; one statement or transaction is taken in any case
   */
  harvest(now: number, most = Number.POSITIVE_INFINITY): Matrix {
    const sum = new MatrixSum();
    let left = most;
    const works = takeWithin(this.#dirtyWork, left, ({ tables }) => (tables * (tables - 1)) / 2);
    for (const work of works.taken) {
      sum.add({ cells: [], pairs: transactionsOf(work, now) });
      work.count = 0;
      work.refused = 0;
    }
    left -= works.cost;
    const tallies = left > 0 ? takeWithin(this.#dirty, left, costOf).taken : [];
    for (const tally of tallies) {
      sum.add({ cells: cellsOf(tally, now), pairs: joinsOf(tally, now) });
      tally.reset();
    }
    // Paths of statements that never come again must not be kept; transactions under way keep theirs.
    if (this.#dirtyWork.length === 0) this.#root = new WorkNode(null, null);
    return sum.matrix();
  }
}

const costOf = ({ footprint: { entries, joined } }: Tally): number =>
  entries.length + (joined.length > MOST_PAIRED ? 0 : (joined.length * (joined.length - 1)) / 2);

/** Takes the first of a list out of it: as many as cost no more than `most`, and one at least. */
function takeWithin<T>(list: T[], most: number, costOfOne: (one: T) => number): { taken: readonly T[]; cost: number } {
  let count = 0;
  let cost = 0;
  for (const one of list) {
    if (count > 0 && cost + costOfOne(one) > most) break;
    cost += costOfOne(one);
    count++;
  }
  return { taken: list.splice(0, count), cost };
}

function cellsOf(tally: Tally, now: number): Cell[] {
  const { service, database, statements, errors, refused, rows } = tally;
  const example = shownExample(tally);
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

/**
 * In double quotes stands a name, if the server took it for one. Where none has, it may as well be data of somebody who
 * took them for those of a string.
 */
function shownExample({ statements, refused, example }: Tally): string {
  return statements > 0 || (refused > 0 && !example.includes('"')) ? example : '';
}

function joinsOf(tally: Tally, now: number): Pair[] {
  const { service, statements, refused } = tally;
  const example = shownExample(tally);
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
