import type { CachedStatement } from '../../sql/statement-cache.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionLink } from '../session-link.js';

/** What the client was told of a prepared statement, as it came. */
export interface Description {
  parameters: Buffer | null;
  row: Buffer | null;
}

/**
 * A prepared statement of the client's (Parse, or SQL-level PREPARE), valid on whichever link it now belongs:
 * it is prepared there again from `parse` when it is needed.
 */
export interface Prepared {
  /** Bytes of the name as latin1: a key, not text. */
  readonly name: string;
  /** The Parse message whole; for SQL-level PREPARE the statement's own text in `sql`. */
  parse: Buffer;
  /** Types of parameters that users made: their OIDs are home's, and are translated for other databases. */
  readonly userTypes: boolean;
  readonly sqlLevel: string | null;
  cached: CachedStatement<TextPlan>;
  plan: TextPlan;
  /** The link that it was last used on: a short cut for the common case. */
  on: SessionLink | null;
  description: Description | null;
}

/** A bound portal: where it lives, or what pgfig itself does when it is executed. */
export interface Portal {
  readonly link: SessionLink | null;
  readonly prepared: Prepared;
  /** It has been executed before: what comes is the rest of its rows. */
  begun?: boolean;
  /** The Bind message, where a mirror is to run it too. */
  readonly bind?: Buffer;
}
