import { type Footprint, type FootprintEntry, footprintOf } from '../matrix/footprint.js';
import { Tally } from '../matrix/tally.js';
import { planStatement, type RoutingContext } from '../routing/plan.js';
import type { Parser } from '../sql/grammar.js';
import type { Statement } from '../sql/statement.js';
import { type CachedStatement, Reading, StatementCache, type StatementCacheLimits } from '../sql/statement-cache.js';
import { withoutLiterals } from '../sql/without-literals.js';

/** A statement of a text, and what it leaves in the matrix. */
export interface PlannedStatement {
  readonly statement: Statement;
  /** null: it touches nothing that counts. */
  readonly footprint: Footprint | null;
  readonly example: string;
  /** The statement that a PREPARE prepares. */
  readonly inside: PlannedStatement | null;
  /** By service, and by what else it was seen to touch. */
  readonly tallies: Map<string, Tally>;
}

/** A table that a statement was seen to touch, besides what its text tells. */
export interface SeenTable extends FootprintEntry {
  /** It stands for what it reads, so it is joined with nothing. */
  readonly view: boolean;
}

/** The statements of a text under one routing context. */
export interface PlannedText {
  readonly context: RoutingContext;
  readonly statements: readonly PlannedStatement[];
  readonly syntaxError: string | null;
  next: PlannedText | null;
}

/** Plans of one text in several contexts that are kept: sessions with another search_path. */
const SLOTS = 8;
/** Services of one statement whose tallies are kept at hand; the book has them anyway. */
const MOST_TALLIES = 10_000;
/** A statement that touches nothing. */
const NOTHING = Buffer.from('SELECT');

/** Statements by their texts, planned once for all that differ only in their literals. */
export class PlannedTexts {
  readonly #cache: StatementCache<PlannedText>;
  readonly #database: string;
  readonly #unseen = new Map<string, Tally>();

  /** @param database the name that cells get as their database */
  constructor(parser: Parser, limits: StatementCacheLimits, database: string) {
    this.#cache = new StatementCache(parser, limits);
    this.#database = database;
  }

  /** The statements of a text; the same object again for what differs only in its literals. The bytes are not kept. */
  get(text: Uint8Array, standardConformingStrings: boolean, context: RoutingContext): PlannedText {
    const cached = this.#cache.get(text, 0, text.length, standardConformingStrings);
    // Only a cache with a thread reads later.
    if (cached instanceof Reading) throw new Error('unreachable: a text is read in a thread');
    let slots = 0;
    for (let plan = cached.extra; plan !== null; plan = plan.next) {
      if (plan.context === context) return plan;
      slots += 1;
    }
    const plan = plannedText(cached, text, standardConformingStrings, context);
    plan.next = slots < SLOTS ? cached.extra : null;
    cached.extra = plan;
    return plan;
  }

  /** One statement whose text is not known, and of which nothing can be shown. */
  unseen(context: RoutingContext): PlannedText {
    const plan = this.get(NOTHING, true, context);
    return {
      ...plan,
      statements: plan.statements.map((planned) => ({ ...planned, example: '', tallies: this.#unseen })),
    };
  }

  /** Where a statement of this service counts; null where it leaves nothing. @param more what else it was seen to touch */
  tally(planned: PlannedStatement, service: string, more: readonly SeenTable[] = []): Tally | null {
    const key = more.length === 0 ? service : `${service}\0${[...new Set(more.map(seenKey))].sort().join('\0')}`;
    const known = planned.tallies.get(key);
    if (known !== undefined) return known;
    const footprint = more.length === 0 ? planned.footprint : withMore(planned.footprint, more);
    if (footprint === null) return null;
    const tally = new Tally({ service, footprint, database: this.#database, example: planned.example });
    if (planned.tallies.size >= MOST_TALLIES) planned.tallies.clear();
    planned.tallies.set(key, tally);
    return tally;
  }
}

function plannedText(
  { parsed, folded }: CachedStatement<PlannedText>,
  text: Uint8Array,
  standardConformingStrings: boolean,
  context: RoutingContext,
): PlannedText {
  const statements = parsed.statements.map((statement, at) => {
    const [start, end] = folded ? [0, text.length] : (parsed.spans[at] ?? [0, text.length]);
    // What does not parse may have data where names are expected.
    const example = statement.kind === 'unparsable' ? '' : withoutLiterals(text, start, end, standardConformingStrings);
    return plannedStatement(statement, example, context);
  });
  return { context, statements, syntaxError: parsed.syntaxError, next: null };
}

function plannedStatement(statement: Statement, example: string, context: RoutingContext): PlannedStatement {
  const inside = statement.effects.find((effect) => effect.type === 'prepare');
  return {
    statement,
    footprint: footprintOf(statement, planStatement(statement, context)),
    example,
    inside: inside?.type === 'prepare' ? plannedStatement(inside.statement, example, context) : null,
    tallies: new Map(),
  };
}

const entryKey = ({ table, access }: FootprintEntry): string => `${table} ${access}`;
const seenKey = (seen: SeenTable): string => `${entryKey(seen)} ${seen.named} ${seen.view}`;

/** A statement that touches more than its text tells. */
function withMore(footprint: Footprint | null, more: readonly SeenTable[]): Footprint {
  const known = footprint ?? { entries: [], joined: [], written: [] };
  const added = new Map(more.map((entry) => [entryKey(entry), entry]));
  for (const entry of known.entries) added.delete(entryKey(entry));
  const views = new Set(more.filter(({ view }) => view).map(({ table }) => table));
  const entries = [...added.values()].map(({ table, access, named }) => ({ table, access, named }));
  const tables = entries.filter(({ table, access }) => !views.has(table) && (access === 'read' || access === 'write'));
  const written = tables.filter(({ access }) => access === 'write');
  return {
    entries: [...known.entries, ...entries],
    joined: [...new Set([...known.joined, ...tables.map(({ table }) => table)])].sort(),
    written: [...new Set([...known.written, ...written.map(({ table }) => table)])].sort(),
  };
}
