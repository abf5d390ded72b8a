import type { RoutingContext } from '../../routing/context.js';
import type { Mirroring, MirrorRefusalCode } from '../../routing/mirroring.js';

/** What the statement mirror does with one statement; the keys and their order are an interface. */
export interface ExplainedMirror {
  /** The new database. */
  readonly database: string;
  /** The domains that are written, or may be. */
  readonly domains: readonly string[];
  /** Whether the new database gets the statement too; null: only the catalogs, which were not read, tell. */
  readonly runs: boolean | null;
  /** Name of the refusal, as docs/statement-mirror.md lists them; null: none is known. */
  readonly reason: MirrorRefusalCode | null;
  /** For people, of the refusal. */
  readonly why: string | null;
}

/** Without catalogs these say no more than that nothing is known of a table or function. */
const OF_CATALOGS: ReadonlySet<MirrorRefusalCode> = new Set(['function', 'catalog']);

/** The decision of a session for a statement, for people and scripts; null stays null. */
export function explainMirror(mirroring: Mirroring | null, { catalog }: RoutingContext): ExplainedMirror | null {
  if (mirroring === null) return null;
  const { database, refusal } = mirroring;
  const domains = mirroring.domains.map(({ name }) => name);
  if (refusal === null) return { database, domains, runs: true, reason: null, why: null };
  if (catalog === null && OF_CATALOGS.has(refusal.code)) {
    return { database, domains, runs: null, reason: null, why: null };
  }
  return { database, domains, runs: false, reason: refusal.code, why: refusal.why };
}

/** One line for people. */
export function mirrorLine({ database, runs, reason, why }: ExplainedMirror): string {
  if (runs === null) return `not known without the catalogs (--offline) whether it runs on ${database} too`;
  return runs ? `runs on ${database} too` : `refused (${reason}): ${why}`;
}
