/** One message, as its topic will have it. */
export interface EventMessage {
  /** 'schema.table' that it comes from: what a refusal is told of. */
  readonly table: string;
  readonly topic: string;
  readonly key: string | null;
  /** null: a tombstone. */
  readonly value: string | Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  /** It goes to every partition of the topic, in each with the partition's number after its id. */
  readonly everywhere?: true;
}

/**
 * Where messages go. What one sink has sent can never come after what a sink that was opened later for the same owner
 * has sent: opening fences all earlier ones. So whatever is sent must have been read after the sink was opened.
 */
export interface EventSink {
  /**
   * Resolves when all in-sync replicas have the whole batch; in the batch's order for each key.
   * @throws SendFailure; the sink is then of no use any more, and none, some or all of the batch may have been written
   */
  send(batch: readonly EventMessage[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens a sink and fences all others of that owner. @throws SendFailure */
export type OpenSink = (owner: string) => Promise<EventSink>;

/**
 * 'again': it may go later, nothing is wrong with the messages.
 * 'at-once': the same, and there is no reason to wait.
 * 'fenced': somebody else sends for this owner now.
 * 'refused': the messages of `tables` will never be taken as they are.
 */
export type FailureKind = 'again' | 'at-once' | 'fenced' | 'refused';

/** A batch was not sent, or it is not known whether it was. */
export class SendFailure extends Error {
  readonly kind: FailureKind;
  /** 'schema.table', where kind is 'refused'. */
  readonly tables: readonly string[];

  constructor(kind: FailureKind, message: string, details: { tables?: readonly string[]; cause?: unknown } = {}) {
    super(message, { cause: details.cause });
    this.name = 'SendFailure';
    this.kind = kind;
    this.tables = details.tables ?? [];
  }
}

/** What a feed tells of itself. */
export interface FeedStatus {
  readonly domain: string;
  readonly kind: 'changes' | 'outbox';
  /** 'leading': this instance runs it; 'standby': another one does; 'starting': it is not known yet. */
  readonly state: 'leading' | 'standby' | 'starting';
  /** Messages that all in-sync replicas have, since this process runs. */
  readonly sent: number;
  /** Tries that failed, since this process runs. */
  readonly failures: number;
  /** Changes that wait, when they were last counted; null: not known here. */
  readonly waiting: number | null;
  /** For how long something has been waiting, at most, in seconds; null: not known here. */
  readonly lag: number | null;
  /** Tables whose messages wait until somebody has mended what the reason names. */
  readonly stalled: readonly { readonly table: string; readonly reason: string }[];
  /** Tables that work, and cost more than they have to. */
  readonly warnings: readonly { readonly table: string; readonly warning: string }[];
  /** Why nothing goes on now; null: it does. */
  readonly error: string | null;
}

/** What the operator hears of while a feed runs. */
export interface FeedListener {
  /** A table's messages wait from now on; reason null: they go on. */
  onStall(table: string, reason: string | null): void;
  /** A table works, and costs more than it has to. */
  onWarning(table: string, warning: string): void;
  /** Nothing goes on; null: it does again. Told once for each change. */
  onTrouble(error: unknown): void;
}
