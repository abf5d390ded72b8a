import type { Channel, ChannelOwner } from '../net/channel.js';
import { stableCopy } from '../net/slab.js';
import { decodeErrorFields, decodeParameterStatus, type ErrorFields } from '../wire/decode.js';
import { B } from '../wire/types.js';
import { AnswerMeter } from './answer-meter.js';
import { ReplyQueue } from './reply-queue.js';

/** What a link tells the session that owns it. Chunks are borrowed unless `owned` (see ChannelOwner). */
export interface LinkOwner {
  /** Bytes of whole or partial messages that are the client's, in order. */
  toClient(link: Link, chunk: Buffer, start: number, end: number, owned: boolean): void;
  /** An ErrorResponse that is the client's is about to pass. */
  onError(link: Link, fields: ErrorFields): void;
  /** Before that, while the request that it answers is still at the queue's head, where that has a mark. It ends at `end`. */
  onFailed(link: Link, fields: ErrorFields, chunk: Buffer, end: number): void;
  /** A request of pgfig's own was refused, and what the backend skips for it is off the queue; nothing behind it has passed. */
  onHiddenError?(link: Link, fields: ErrorFields): void;
  /**
   * ReadyForQuery, the client's (`shown`) or a hidden one; `status` is the byte I, T or E.
   * @returns the byte that the client is to see, 0 to keep the message from it
   */
  onReady(link: Link, status: number, shown: boolean): number;
  /** CommandComplete, the client's, is about to pass: the tag lies in chunk[start, end). */
  onCommand(link: Link, chunk: Buffer, start: number, end: number): void;
  /** PortalSuspended is about to pass; it ends at `end` of the chunk. */
  onSuspended(link: Link, chunk: Buffer, end: number): void;
  /** CopyInResponse or CopyBothResponse passed. */
  onCopyIn(link: Link): void;
  onParameterStatus(link: Link, name: string, value: string): void;
  /** NoticeResponse or NotificationResponse, whole, at chunk[start, end); `hidden`: while a request of pgfig's own was being answered. */
  onAsync(link: Link, type: number, chunk: Buffer, start: number, end: number, hidden: boolean): void;
  /** A RowDescription, ParameterDescription or NoData of the client's, whole; may be changed in place. */
  onDescription(link: Link, type: number, chunk: Buffer, start: number, end: number): void;
  /** The chunk is through, everything of it has been handed on, and the backend owes less than before. */
  onProgress(link: Link): void;
  /** The connection is gone. `fatal`: the backend's own last words, if any. */
  onLost(link: Link, fatal: ErrorFields | null, error: Error | null): void;
  onDrain(link: Link): void;
  trace?(link: Link, direction: 'F' | 'B', chunk: Buffer, start: number, end: number): void;
}

export interface BackendIdentity {
  readonly pid: number;
  readonly secret: Buffer;
}

const STATUS_IDLE = 0x49;

/**
 * One connection to one backend, after login: frames what comes from it, keeps the queue of what it owes,
 * and hands the client's share on in whole runs. Holds no bytes back but the unfinished head of a message
 * that must be read whole.
 */
export class Link implements ChannelOwner {
  readonly database: string;
  readonly identity: BackendIdentity;
  /** ParameterStatus as last reported. */
  readonly parameters: Map<string, string>;
  readonly queue = new ReplyQueue();
  /** Status byte of the last ReadyForQuery. */
  status = STATUS_IDLE;
  /** Nothing is read: bytes pass as they come. */
  raw = false;
  /** Bytes from and to this backend. */
  bytesIn = 0;
  bytesOut = 0;
  readonly meter = new AnswerMeter();
  readonly #channel: Channel;
  #owner: LinkOwner;
  /** The unfinished message at the end of what was read, in pieces, and the size at which it is worth looking again. */
  #carry: Buffer[] = [];
  #carried = 0;
  #needed = 0;
  #held: Buffer | null = null;
  /** Bytes of a bulk message still to come, and whether they are the client's. */
  #bulk = 0;
  #bulkHidden = false;
  #fatal: ErrorFields | null = null;
  #lost = false;

  constructor(
    database: string,
    channel: Channel,
    identity: BackendIdentity,
    parameters: Map<string, string>,
    owner: LinkOwner,
  ) {
    this.database = database;
    this.#channel = channel;
    this.identity = identity;
    this.parameters = parameters;
    this.#owner = owner;
    channel.setOwner(this);
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** A message was passed on in part, and its rest has not come: nothing else can be said to the client now. */
  get midMessage(): boolean {
    return this.#bulk > 0 && !this.#bulkHidden;
  }

  get idle(): boolean {
    return this.queue.size === 0;
  }

  get congested(): boolean {
    return this.#channel.congested;
  }

  setOwner(owner: LinkOwner): void {
    this.#owner = owner;
  }

  /** Keeps bytes back, to leave in one write with what is sent next. */
  hold(bytes: Buffer): void {
    this.#held = this.#held === null ? bytes : Buffer.concat([this.#held, bytes]);
  }

  send(bytes: Buffer): void {
    let all = bytes;
    if (this.#held !== null) {
      all = Buffer.concat([this.#held, bytes]);
      this.#held = null;
    }
    this.bytesOut += all.length;
    this.#owner.trace?.(this, 'F', all, 0, all.length);
    this.#channel.writeOwned(all);
  }

  sendBorrowed(chunk: Buffer, start: number, end: number): void {
    if (this.#held !== null) return this.send(chunk.subarray(start, end));
    this.bytesOut += end - start;
    this.#owner.trace?.(this, 'F', chunk, start, end);
    this.#channel.writeBorrowed(chunk, start, end);
  }

  /** A statement's answer ends at `end` of the chunk at hand. @returns seconds; see AnswerMeter */
  took(chunk: Buffer, end: number): number {
    return this.meter.took(this.queue.headSince, this.#placeOf(chunk, end));
  }

  /** How many bytes had come when the byte at `at` of the chunk at hand came. */
  #placeOf(chunk: Buffer, at: number): number {
    return this.bytesIn - (chunk.length - at);
  }

  pause(): void {
    this.#channel.pause();
  }

  resume(): void {
    this.#channel.resume();
  }

  /** Ends the connection; the owner hears nothing more. */
  close(terminate: Buffer | null): void {
    if (this.#lost) return;
    this.#lost = true;
    if (terminate !== null) this.#channel.writeOwned(terminate);
    this.#channel.end();
    this.queue.abandon();
  }

  onData(incoming: Buffer, incomingOwned: boolean): void {
    if (this.#lost) return;
    this.meter.begin();
    this.bytesIn += incoming.length;
    if (this.raw) return this.#owner.toClient(this, incoming, 0, incoming.length, incomingOwned);
    let chunk = incoming;
    let owned = incomingOwned;
    if (this.#carry.length > 0) {
      this.#carry.push(incomingOwned ? incoming : stableCopy(incoming, 0, incoming.length));
      this.#carried += incoming.length;
      if (this.#carried < this.#needed) return;
      chunk = Buffer.concat(this.#carry);
      owned = true;
      this.#carry = [];
    }
    this.#owner.trace?.(this, 'B', chunk, 0, chunk.length);
    this.#frames(chunk, owned);
    if (!this.#lost) this.#owner.onProgress(this);
  }

  onDrain(): void {
    this.#owner.onDrain(this);
  }

  onClosed(error: Error | null): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#owner.onLost(this, this.#fatal, error);
    this.queue.abandon();
  }

  /** Walks the messages of a chunk; `run` is where the bytes begin that the client is still to be given. */
  #frames(chunk: Buffer, owned: boolean): void {
    const length = chunk.length;
    let at = 0;
    let run = 0;
    if (this.#bulk > 0) {
      const part = Math.min(this.#bulk, length);
      this.#bulk -= part;
      at = part;
      if (this.#bulkHidden) run = part;
    }
    while (length - at >= 5) {
      const type = chunk[at] as number;
      const end = at + 1 + chunk.readUInt32BE(at + 1);
      const bulk = type === B.DataRow || type === B.CopyData;
      if (bulk && this.queue.headHidden === null) {
        if (end <= length) {
          at = end;
          continue;
        }
        this.#bulk = end - length;
        this.#bulkHidden = false;
        at = length;
        break;
      }
      if (end > length) break;
      if (this.#isHidden(type)) {
        if (run < at) this.#owner.toClient(this, chunk, run, at, owned);
        run = end;
        this.#hiddenMessage(type, chunk, at, end);
      } else if (this.#shownMessage(type, chunk, at, end)) {
        // passes as it is
      } else {
        if (run < at) this.#owner.toClient(this, chunk, run, at, owned);
        run = end;
        this.#asideMessage(type, chunk, at, end);
      }
      at = end;
      if (this.#lost) return;
    }
    if (run < at) this.#owner.toClient(this, chunk, run, at, owned);
    if (at < length) this.#keep(stableCopy(chunk, at, length));
  }

  #keep(rest: Buffer): void {
    this.#carry = [rest];
    this.#carried = rest.length;
    this.#needed = rest.length < 5 ? 5 : 1 + rest.readUInt32BE(1);
  }

  #isHidden(type: number): boolean {
    return (
      this.queue.headHidden !== null &&
      type !== B.NoticeResponse &&
      type !== B.NotificationResponse &&
      type !== B.ParameterStatus
    );
  }

  #hiddenMessage(type: number, chunk: Buffer, at: number, end: number): void {
    if (type === B.ReadyForQuery) this.status = chunk[at + 5] as number;
    const fields = type === B.ErrorResponse ? this.#noteFatal(chunk, at, end) : null;
    this.meter.ended(this.#placeOf(chunk, end));
    this.queue.headHidden?.onMessage?.(type, chunk, at + 5, end);
    // After a backend's last words nothing is answered any more: what is owed stays owed, for onLost to answer.
    if (this.#fatal !== null) return;
    this.queue.take(type);
    if (fields !== null) this.#owner.onHiddenError?.(this, fields);
    if (type === B.ReadyForQuery) this.#owner.onReady(this, this.status, false);
  }

  /** A message of the client's; false when it does not pass by itself (asynchronous ones). */
  #shownMessage(type: number, chunk: Buffer, at: number, end: number): boolean {
    switch (type) {
      case B.NoticeResponse:
      case B.NotificationResponse:
      case B.ParameterStatus:
        return false;
      case B.ReadyForQuery:
        this.status = chunk[at + 5] as number;
        this.meter.ended(this.#placeOf(chunk, end));
        this.queue.take(type);
        return this.#shownReady(chunk, at);
      case B.CommandComplete:
        this.#owner.onCommand(this, chunk, at + 5, end);
        this.meter.ended(this.#placeOf(chunk, end));
        this.queue.take(type);
        return true;
      case B.PortalSuspended:
        this.#owner.onSuspended(this, chunk, end);
        this.meter.ended(this.#placeOf(chunk, end));
        this.queue.take(type);
        return true;
      case B.ErrorResponse:
        return this.#shownError(chunk, at, end);
      case B.NoData:
      case B.RowDescription:
      case B.ParameterDescription:
        this.#owner.onDescription(this, type, chunk, at, end);
        this.queue.take(type);
        return true;
      case B.CopyInResponse:
      case B.CopyBothResponse:
        this.queue.take(type);
        this.#owner.onCopyIn(this);
        return true;
      default:
        this.queue.take(type);
        return true;
    }
  }

  #shownReady(chunk: Buffer, at: number): boolean {
    const status = this.#owner.onReady(this, this.status, true);
    if (status === 0) return false;
    chunk[at + 5] = status;
    return true;
  }

  /**
   * An error that answers a request of the client's. The last words of a backend do not pass by themselves: what they
   * mean for the session is the owner's to say, when the connection has ended.
   */
  #shownError(chunk: Buffer, at: number, end: number): boolean {
    const fields = this.#noteFatal(chunk, at, end);
    if (this.#fatal !== null || this.queue.size === 0) return false;
    if (this.queue.headMark !== null) this.#owner.onFailed(this, fields, chunk, end);
    this.meter.ended(this.#placeOf(chunk, end));
    this.queue.take(B.ErrorResponse);
    this.#owner.onError(this, fields);
    return true;
  }

  #asideMessage(type: number, chunk: Buffer, at: number, end: number): void {
    if (type === B.ErrorResponse || type === B.ReadyForQuery) return;
    if (type !== B.ParameterStatus) {
      this.#owner.onAsync(this, type, chunk, at, end, this.queue.headHidden !== null);
      return;
    }
    const [name, value] = decodeParameterStatus(chunk, at + 5, end);
    this.parameters.set(name, value);
    this.#owner.onParameterStatus(this, name, value);
  }

  #noteFatal(chunk: Buffer, at: number, end: number): ErrorFields {
    const fields = decodeErrorFields(chunk, at + 5, end);
    if (fields.severity === 'FATAL' || fields.severity === 'PANIC') this.#fatal = fields;
    return fields;
  }
}
