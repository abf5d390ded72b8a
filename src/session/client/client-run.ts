import type { Link } from '../../backend/link.js';
import type { TrafficCounters } from '../counters.js';
import type { ClientEnd } from './client-end.js';

/**
 * The run of bytes of the client's current chunk that leaves for one link in one write: messages that lie behind each
 * other and go to the same place need not be touched one by one.
 */
export class ClientRun {
  readonly #client: ClientEnd;
  readonly #counters: TrafficCounters;
  #chunk: Buffer | null = null;
  #owned = false;
  #link: Link | null = null;
  #start = 0;
  #end = 0;

  constructor(client: ClientEnd, counters: TrafficCounters) {
    this.#client = client;
    this.#counters = counters;
  }

  /** The messages that follow lie in this chunk. */
  begin(chunk: Buffer, owned: boolean): void {
    this.#chunk = chunk;
    this.#owned = owned;
    this.#link = null;
  }

  end(): void {
    this.flush();
    this.#chunk = null;
  }

  add(link: Link, chunk: Buffer, at: number, end: number): void {
    if (this.#link === link && this.#end === at && this.#chunk === chunk) {
      this.#end = end;
      return;
    }
    this.flush();
    if (this.#chunk !== chunk) {
      // Not of the chunk that is being read (it waited): goes by itself.
      link.sendBorrowed(chunk, at, end);
      return;
    }
    this.#link = link;
    this.#start = at;
    this.#end = end;
  }

  flush(): void {
    const link = this.#link;
    const chunk = this.#chunk;
    if (link === null || chunk === null) return;
    this.#link = null;
    if (this.#owned) link.send(chunk.subarray(this.#start, this.#end));
    else link.sendBorrowed(chunk, this.#start, this.#end);
    if (link.congested) {
      this.#counters.clientPauses++;
      this.#client.channel.pause();
    }
  }
}
