import type { Link } from '../backend/link.js';
import type { ErrorFields } from '../wire/decode.js';
import type { LatencyHistogram } from './counters.js';

/** One backend link as a session uses it: how far the link's state has been brought to the session's. */
export class SessionLink {
  readonly database: string;
  readonly link: Link;
  readonly histogram: LatencyHistogram;
  /** Stamp of the transaction that this link has joined, 0 outside; see TransactionState.stamp. */
  txStamp = 0;
  /** Entries of the transaction's journal that this link has seen. */
  journalAt = 0;
  /** What must run here before anything else: the way back to a savepoint. */
  readonly undo: string[] = [];
  /** BEGIN of the transaction that this link has joined; null once it is known to be over. */
  beginning: { readonly over: boolean } | null = null;
  /** Has been set READ ONLY, because another link writes in this transaction. */
  readOnly = false;
  /** Version of the session's settings that this link has. */
  settingsVersion = 0;
  /** Extended-protocol messages were sent since the last Sync: the implicit transaction is open here. */
  inPipeline = false;
  /** A cancel request is under way to this backend: nothing new may be sent before it has arrived. */
  cancelling = 0;
  /** The last request sent here was a simple Query. */
  lastWasQuery = false;
  /** Prepared statements by name, as they stand on this backend; looked at for identity alone. */
  readonly statements = new Map<string, object>();
  /** Binary values from here may carry type OIDs that mean something else in the session's home. */
  carriesOids = false;
  /** Names of statements that stand on this backend and that the client has done away with. */
  readonly stale = new Set<string>();
  /** Holds what dies with it: temporary tables, session locks, LISTEN, cursors WITH HOLD, sequence values. */
  holdsState = false;
  /** The last injected statement failed, and its name and portal may still stand. */
  injectionLeft = false;
  /** The backend refused what pgfig put in front of a request of the client's. */
  injectionError: ErrorFields | null = null;

  constructor(link: Link, histogram: LatencyHistogram) {
    this.database = link.database;
    this.link = link;
    this.histogram = histogram;
  }
}
