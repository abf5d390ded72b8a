import { B } from '../wire/types.js';

/**
 * The replies that a backend still owes, in order: a pure machine, fed with what is sent to the backend
 * (`push`) and with the type byte of each message that comes from it (`take`).
 *
 * Message flow: PostgreSQL documentation, 55.2.2 to 55.2.4 (simple query, extended query, pipelining) and
 * 55.2.6 (COPY). Each request ends with one of a few message types; an error skips to the next Sync.
 * Asynchronous messages (notice, notification, parameter status) belong to no request and must not be given
 * to `take`.
 */
export const Expect = {
  /** Simple Query or FunctionCall: everything until ReadyForQuery. */
  Query: 1,
  Parse: 2,
  Bind: 3,
  /** Describe of a statement: ParameterDescription, then RowDescription or NoData. */
  Describe: 4,
  Execute: 5,
  Close: 6,
  Sync: 7,
  /** Stands where CopyDone or CopyFail was sent; nothing is owed for it. */
  CopyEnd: 8,
} as const;
export type Expect = (typeof Expect)[keyof typeof Expect];

/** A request of pgfig's own: its replies are not the client's. */
export interface Hidden {
  /** One reply message; `body` is borrowed. */
  onMessage?(type: number, chunk: Buffer, start: number, end: number): void;
  /** Answered (`ok`), or failed, or skipped because something before it failed. */
  onDone?(ok: boolean): void;
}

/** A request of the client's that wants to know whether it was answered (a named Parse). */
export interface Watcher {
  onDone(ok: boolean): void;
}

const ENDS: boolean[] = new Array(256 * 9).fill(false);
const endsWith = (kind: Expect, ...types: number[]): void => {
  for (const type of types) ENDS[kind * 256 + type] = true;
};
endsWith(Expect.Query, B.ReadyForQuery);
endsWith(Expect.Parse, B.ParseComplete);
endsWith(Expect.Bind, B.BindComplete);
endsWith(Expect.Describe, B.RowDescription, B.NoData);
endsWith(Expect.Execute, B.CommandComplete, B.EmptyQueryResponse, B.PortalSuspended);
endsWith(Expect.Close, B.CloseComplete);
endsWith(Expect.Sync, B.ReadyForQuery);

const INITIAL_SIZE = 16;

export class ReplyQueue {
  #kinds = new Uint8Array(INITIAL_SIZE);
  #hidden: (Hidden | null)[] = new Array(INITIAL_SIZE).fill(null);
  #watchers: (Watcher | null)[] = new Array(INITIAL_SIZE).fill(null);
  #marks: (object | null)[] = new Array(INITIAL_SIZE).fill(null);
  #since = new Float64Array(INITIAL_SIZE);
  #head = 0;
  #count = 0;
  /** Entries that are the client's. */
  #shown = 0;
  /** A COPY FROM STDIN or COPY BOTH is under way in the request at the head. */
  copyIn = false;
  /**
   * An error came and no Sync is on its way: the backend ignores everything until it gets one. Whoever owns
   * the link must send it.
   */
  needsSync = false;
  /** The request that the last error cut off was a hidden one. */
  failedHidden = false;
  /** Queries of the client's that the last error had the backend skip, before the first request of a pipeline. */
  skippedQueries = 0;
  /** Requests of a pipeline of the client's were skipped, and whatever came behind them before its Sync. */
  skippedPipeline = false;

  /** Requests not yet answered, those of pgfig's own included. */
  get size(): number {
    return this.#count;
  }

  /** Requests of the client's not yet answered. */
  get shown(): number {
    return this.#shown;
  }

  /** Requests of the client's outstanding that end with ReadyForQuery. */
  get owedReady(): number {
    let owed = 0;
    for (let i = 0; i < this.#count; i++) {
      const at = (this.#head + i) & (this.#kinds.length - 1);
      const kind = this.#kinds[at];
      if (this.#hidden[at] === null && (kind === Expect.Query || kind === Expect.Sync)) owed++;
    }
    return owed;
  }

  /** Whether the reply that comes next is pgfig's own. */
  get headHidden(): Hidden | null {
    return this.#count === 0 ? null : (this.#hidden[this.#head] ?? null);
  }

  /** Whether a Sync is not answered yet, the client's or one of pgfig's own. */
  get hasSync(): boolean {
    for (let i = 0; i < this.#count; i++) {
      if (this.#kinds[(this.#head + i) & (this.#kinds.length - 1)] === Expect.Sync) return true;
    }
    return false;
  }

  /** Whether the reply that comes next is that to a Describe. */
  get headDescribes(): boolean {
    return this.#count > 0 && this.#kinds[this.#head] === Expect.Describe;
  }

  /** What the owner has put with the request whose reply comes next. */
  get headMark(): object | null {
    return this.#count === 0 ? null : (this.#marks[this.#head] ?? null);
  }

  /** When that request arrived, by performance.now(). */
  get headSince(): number {
    return this.#since[this.#head] as number;
  }

  /**
   * @param mark the owner's own: `headMark` while this request is answered
   * @param since when it arrived, by performance.now(); looked at with a mark only
   */
  push(
    kind: Expect,
    hidden: Hidden | null = null,
    watcher: Watcher | null = null,
    mark: object | null = null,
    since = 0,
  ): void {
    if (this.#count === this.#kinds.length) this.#grow();
    const at = (this.#head + this.#count) & (this.#kinds.length - 1);
    this.#kinds[at] = kind;
    this.#hidden[at] = hidden;
    this.#watchers[at] = watcher;
    this.#marks[at] = mark;
    this.#since[at] = since;
    this.#count++;
    if (hidden === null && kind !== Expect.CopyEnd) this.#shown++;
    if (kind === Expect.CopyEnd && this.#count === 1) this.#pop(true);
  }

  /**
   * One message from the backend.
   * @returns the hidden request that it belongs to, or null when it is the client's.
   */
  take(type: number): Hidden | null {
    if (this.#count === 0) return null;
    const kind = this.#kinds[this.#head] as Expect;
    const hidden = this.#hidden[this.#head] ?? null;
    if (ENDS[kind * 256 + type]) {
      this.copyIn = false;
      this.#pop(true);
      return hidden;
    }
    if (type === B.ErrorResponse) {
      this.copyIn = false;
      this.failedHidden = hidden !== null;
      if (kind !== Expect.Query && kind !== Expect.Sync) this.#skipToSync();
    } else if (type === B.CopyInResponse || type === B.CopyBothResponse) {
      this.copyIn = true;
      this.#forgetSyncsInCopy();
    }
    return hidden;
  }

  /** A request that the backend will never answer: its connection is gone. */
  abandon(): void {
    while (this.#count > 0) this.#pop(false);
    this.copyIn = false;
    this.needsSync = false;
  }

  #pop(ok: boolean): void {
    this.#dropHead(ok);
    while (this.#count > 0 && this.#kinds[this.#head] === Expect.CopyEnd) this.#dropHead(ok);
  }

  #dropHead(ok: boolean): void {
    const at = this.#head;
    const hidden = this.#hidden[at] ?? null;
    const watcher = this.#watchers[at] ?? null;
    this.#hidden[at] = null;
    this.#watchers[at] = null;
    this.#marks[at] = null;
    if (hidden === null && this.#kinds[at] !== Expect.CopyEnd) this.#shown--;
    this.#head = (at + 1) & (this.#kinds.length - 1);
    this.#count--;
    if (hidden !== null) hidden.onDone?.(ok);
    if (watcher !== null) watcher.onDone(ok);
  }

  /** After an error the backend reads and discards messages until Sync (55.2.3). */
  #skipToSync(): void {
    this.skippedQueries = 0;
    this.skippedPipeline = false;
    while (this.#count > 0 && this.#kinds[this.#head] !== Expect.Sync) {
      this.#noteSkipped();
      this.#dropHead(false);
    }
    if (this.#count === 0) this.needsSync = true;
  }

  #noteSkipped(): void {
    const kind = this.#kinds[this.#head];
    if (this.#hidden[this.#head] !== null || kind === Expect.CopyEnd) return;
    if (kind === Expect.Query && !this.skippedPipeline) this.skippedQueries++;
    else this.skippedPipeline = true;
  }

  /**
   * A Sync that the backend reads in copy-in mode is ignored (55.2.6): those sent between the Execute and
   * the end of the copy data are owed nothing.
   */
  #forgetSyncsInCopy(): void {
    const mask = this.#kinds.length - 1;
    let drop = 0;
    for (let i = 1; i < this.#count && this.#kinds[(this.#head + i) & mask] === Expect.Sync; i++) drop++;
    if (drop === 0) return;
    for (let i = 1; i + drop < this.#count; i++) {
      const to = (this.#head + i) & mask;
      const from = (this.#head + i + drop) & mask;
      this.#kinds[to] = this.#kinds[from] ?? 0;
      this.#hidden[to] = this.#hidden[from] ?? null;
      this.#watchers[to] = this.#watchers[from] ?? null;
      this.#marks[to] = this.#marks[from] ?? null;
      this.#since[to] = this.#since[from] ?? 0;
    }
    this.#recountShown(drop);
  }

  #recountShown(dropped: number): void {
    this.#count -= dropped;
    const mask = this.#kinds.length - 1;
    let shown = 0;
    for (let i = 0; i < this.#count; i++) {
      const at = (this.#head + i) & mask;
      if (this.#hidden[at] === null && this.#kinds[at] !== Expect.CopyEnd) shown++;
    }
    for (let i = this.#count; i < this.#count + dropped; i++) {
      const at = (this.#head + i) & mask;
      this.#hidden[at] = null;
      this.#watchers[at] = null;
      this.#marks[at] = null;
    }
    this.#shown = shown;
  }

  #grow(): void {
    const size = this.#kinds.length * 2;
    const kinds = new Uint8Array(size);
    const hidden: (Hidden | null)[] = new Array(size).fill(null);
    const watchers: (Watcher | null)[] = new Array(size).fill(null);
    const marks: (object | null)[] = new Array(size).fill(null);
    const since = new Float64Array(size);
    for (let i = 0; i < this.#count; i++) {
      const at = (this.#head + i) & (this.#kinds.length - 1);
      kinds[i] = this.#kinds[at] ?? 0;
      hidden[i] = this.#hidden[at] ?? null;
      watchers[i] = this.#watchers[at] ?? null;
      marks[i] = this.#marks[at] ?? null;
      since[i] = this.#since[at] ?? 0;
    }
    this.#kinds = kinds;
    this.#hidden = hidden;
    this.#watchers = watchers;
    this.#marks = marks;
    this.#since = since;
    this.#head = 0;
  }
}
