import { createHash } from 'node:crypto';
import { type Footprint, footprintOf } from '../../matrix/footprint.js';
import { Tally } from '../../matrix/tally.js';
import type { Route } from '../../routing/route.js';
import type { SessionEffect, Statement } from '../../sql/statement.js';
import { exampleOf } from '../../sql/without-literals.js';

/** By what the statement cache knows a text. */
export interface TextIdentity {
  readonly key: string | null;
  readonly folded: boolean;
}

/** How a statement changes what the transaction under way has written. */
export type WorkEffect = Extract<
  SessionEffect,
  { type: 'commit' | 'rollback' | 'savepoint' | 'release' | 'rollback-to' | 'prepare-transaction' }
>;

/** What is done when one statement of a text has been answered. */
export interface CountedPart {
  /** null: it leaves nothing in the matrix. */
  readonly tally: Tally | null;
  readonly work: WorkEffect | null;
}

/** The tallies of one text for one service and one database. */
export interface CountedText {
  readonly service: string;
  readonly database: string;
  /** One for each statement. */
  readonly parts: readonly CountedPart[];
}

/** Most texts are one statement that is counted and nothing else: its tally alone. */
export type Counted = Tally | CountedText;

export const partsOf = (counted: Counted): readonly CountedPart[] =>
  counted instanceof Tally ? [{ tally: counted, work: null }] : counted.parts;

const WORK: ReadonlySet<string> = new Set<WorkEffect['type']>([
  'commit',
  'rollback',
  'savepoint',
  'release',
  'rollback-to',
  'prepare-transaction',
]);
const isWork = (effect: SessionEffect): effect is WorkEffect => WORK.has(effect.type);

/** Texts of so many services and databases at most are kept at hand; more take turns. */
const MOST_KEPT = 16;

/**
 * What the statements of one plan leave in the matrix. It hangs on the plan, so that it goes when the plan goes; a
 * tally that was counted into since the last harvest is held by the book as well.
 */
export class PlanTallies {
  /** Nothing of it is counted, and nothing changes what a transaction has written. */
  readonly silent: boolean;
  /** SQL-level EXECUTE: the name of what runs. */
  readonly executes: string | null;
  readonly #key: string | null;
  readonly #folded: boolean;
  readonly #parses: boolean;
  readonly #footprints: readonly (Footprint | null)[];
  readonly #works: readonly (WorkEffect | null)[];
  #fingerprint: string | null = null;
  /** One text for all services. */
  #shown: string | null = null;
  /** The one that was used last stands first. */
  readonly #texts: Counted[] = [];

  /**
   * @param key of the text in the statement cache; null: it is too long to be kept
   * @param folded its literals are taken out
   */
  constructor({ key, folded }: TextIdentity, statements: readonly Statement[], routes: readonly Route[]) {
    this.#key = key;
    this.#folded = folded;
    this.#parses = statements.every(({ kind }) => kind !== 'unparsable');
    this.#footprints = statements.map((statement, at) => {
      const route = routes[at];
      return route === undefined ? null : footprintOf(statement, route);
    });
    this.#works = statements.map(({ effects }) => effects.find(isWork) ?? null);
    const [only] = statements.length === 1 ? (statements[0]?.effects ?? []) : [];
    this.executes = only?.type === 'execute' ? only.name : null;
    this.silent =
      this.executes === null &&
      this.#footprints.every((footprint) => footprint === null) &&
      this.#works.every((work) => work === null);
  }

  /** Of the text without its literals, 16 hexadecimal digits; texts of several statements have one together. */
  get fingerprint(): string {
    // Without a guess at the literals: where they are in the key, the part that may be shown is hashed.
    this.#fingerprint ??= createHash('sha256')
      .update((this.#folded ? this.#key : null) ?? this.#example())
      .digest('hex')
      .slice(0, 16);
    return this.#fingerprint;
  }

  /** @param database '' for what is refused */
  of(service: string, database: string): Counted {
    const texts = this.#texts;
    const first = texts[0];
    if (first !== undefined && first.service === service && first.database === database) return first;
    const at = texts.findIndex((text) => text.service === service && text.database === database);
    const [found] = at < 0 ? [this.#make(service, database)] : texts.splice(at, 1);
    if (texts.length >= MOST_KEPT) texts.pop();
    texts.unshift(found as Counted);
    return found as Counted;
  }

  /** What does not parse may have data anywhere. */
  #example(): string {
    this.#shown ??= this.#parses ? exampleOf(this.#key) : '';
    return this.#shown;
  }

  #make(service: string, database: string): Counted {
    const example = this.#example();
    const parts = this.#footprints.map((footprint, at) => ({
      tally: footprint === null ? null : new Tally({ service, footprint, database, example }),
      work: this.#works[at] ?? null,
    }));
    const [only] = parts;
    if (parts.length === 1 && only !== undefined && only.tally !== null && only.work === null) return only.tally;
    return { service, database, parts };
  }
}
