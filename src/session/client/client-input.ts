import { stableCopy } from '../../net/slab.js';
import { checkFrontendHeader, HEADER, messageLength } from '../../wire/framer.js';
import { F } from '../../wire/types.js';

/** Who acts on the client's messages. Chunks are borrowed, except where `owned` was true at `beginChunk`. */
export interface InputHandler {
  beginChunk(chunk: Buffer, owned: boolean): void;
  /** One whole message, header included, at chunk[at, end). */
  message(type: number, chunk: Buffer, at: number, end: number): void;
  /** A part of a CopyData message: its beginning with the header (`first`), or more of it. */
  copyPart(chunk: Buffer, at: number, end: number, first: boolean): void;
  endChunk(): void;
}

/**
 * Cuts what the client sends into messages. Whole messages are handed on where they lie; one that is not
 * complete is kept until it is (CopyData passes in parts). While `blocked` (a message must wait for a
 * backend), what comes is kept in order: the reader is paused, so that is one chunk at most.
 * @throws PgfigError PROTOCOL_VIOLATION from `push` and `unblock`
 */
export class ClientInput {
  readonly #handler: InputHandler;
  #blocked = false;
  #walking = false;
  #unfinished: Buffer[] = [];
  #size = 0;
  #needed = 0;
  #copyLeft = 0;
  #waiting: Buffer[] = [];

  constructor(handler: InputHandler) {
    this.#handler = handler;
  }

  get blocked(): boolean {
    return this.#blocked;
  }

  block(): void {
    this.#blocked = true;
  }

  /** Goes on with what waited. */
  unblock(): void {
    this.#blocked = false;
    while (!this.#blocked && this.#waiting.length > 0) {
      const chunk = this.#waiting.length === 1 ? this.#waiting[0] : Buffer.concat(this.#waiting);
      this.#waiting = [];
      if (chunk !== undefined) this.push(chunk, true);
    }
  }

  push(incoming: Buffer, incomingOwned: boolean): void {
    if (this.#blocked || this.#walking) {
      this.#waiting.push(incomingOwned ? incoming : stableCopy(incoming, 0, incoming.length));
      return;
    }
    let chunk = incoming;
    let owned = incomingOwned;
    if (this.#unfinished.length > 0) {
      this.#unfinished.push(incomingOwned ? incoming : stableCopy(incoming, 0, incoming.length));
      this.#size += incoming.length;
      if (this.#size < this.#needed) return;
      chunk = Buffer.concat(this.#unfinished);
      owned = true;
      this.#unfinished = [];
    }
    this.#walking = true;
    try {
      this.#walk(chunk, owned);
    } finally {
      this.#walking = false;
    }
    if (!this.#blocked && this.#waiting.length > 0) this.unblock();
  }

  #walk(chunk: Buffer, owned: boolean): void {
    const length = chunk.length;
    const handler = this.#handler;
    let at = 0;
    handler.beginChunk(chunk, owned);
    try {
      if (this.#copyLeft > 0) {
        at = Math.min(this.#copyLeft, length);
        this.#copyLeft -= at;
        handler.copyPart(chunk, 0, at, false);
      }
      while (!this.#blocked && length - at >= HEADER) {
        const type = chunk[at] as number;
        const size = messageLength(chunk, at);
        checkFrontendHeader(type, size);
        const end = at + 1 + size;
        if (end > length) {
          if (type !== F.CopyData) break;
          handler.copyPart(chunk, at, length, true);
          this.#copyLeft = end - length;
          at = length;
          break;
        }
        handler.message(type, chunk, at, end);
        at = end;
      }
    } finally {
      handler.endChunk();
    }
    if (at === length) return;
    const rest = owned ? chunk.subarray(at) : stableCopy(chunk, at, length);
    if (this.#blocked) this.#waiting.unshift(rest);
    else this.#keep(rest);
  }

  #keep(rest: Buffer): void {
    this.#unfinished = [rest];
    this.#size = rest.length;
    this.#needed = rest.length < HEADER ? HEADER : 1 + messageLength(rest, 0);
  }
}
