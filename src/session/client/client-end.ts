import type { PgfigError } from '../../errors/pgfig-error.js';
import type { Channel } from '../../net/channel.js';
import { stableCopy } from '../../net/slab.js';
import { errorFrom, parameterStatus, readyForQuery } from '../../wire/backend-messages.js';
import type { TrafficCounters } from '../counters.js';

/**
 * The client's side of a session: what pgfig answers itself is gathered and leaves in one write, and always
 * before what comes from a backend later.
 */
export class ClientEnd {
  channel: Channel;
  /** Parameters as the client was told of them. */
  readonly reported = new Map<string, string>();
  readonly #counters: TrafficCounters;
  /** A backend's message was passed on in part: nothing may come between its parts. */
  partial = false;
  readonly #gathered: Buffer[] = [];
  #held: Buffer[] | null = null;
  /** What may not leave yet; null: everything may. */
  #dammed: Buffer[] | null = null;
  readonly #beforeReady: () => void;

  /** @param beforeReady is called before each ReadyForQuery of pgfig's own, and may dam it */
  constructor(channel: Channel, counters: TrafficCounters, beforeReady: () => void = () => undefined) {
    this.channel = channel;
    this.#counters = counters;
    this.#beforeReady = beforeReady;
  }

  /** From here on nothing leaves before `undam`; it stays in order. Whoever calls stops the links. */
  dam(): void {
    this.flush();
    this.#dammed ??= [];
  }

  undam(): void {
    const dammed = this.#dammed;
    this.#dammed = null;
    for (const bytes of dammed ?? []) this.channel.writeOwned(bytes);
  }

  /** A message of pgfig's own. */
  say(message: Buffer): void {
    this.#gathered.push(message);
  }

  sayError(error: PgfigError): void {
    this.say(errorFrom(error));
  }

  sayReady(status: number): void {
    this.#beforeReady();
    this.say(READY[status] ?? readyForQuery('I'));
  }

  /** Tells of a parameter's new value, unless the client knows it. */
  report(name: string, value: string): void {
    if (this.reported.get(name) === value) return;
    this.reported.set(name, value);
    if (this.#held === null) this.say(parameterStatus(name, value));
    else this.#held.push(parameterStatus(name, value));
  }

  /** Keeps parameter changes back: they are to come behind the command's tag, which is not said yet. */
  holdReports(): void {
    this.#held ??= [];
  }

  releaseReports(): void {
    for (const report of this.#held ?? []) this.say(report);
    this.#held = null;
  }

  /** Sends what was gathered, as soon as no message is cut open. */
  flush(): void {
    if (this.#gathered.length === 0 || this.partial) return;
    const bytes = this.#gathered.length === 1 ? this.#gathered[0] : Buffer.concat(this.#gathered);
    this.#gathered.length = 0;
    if (bytes === undefined) return;
    this.#counters.toClients += bytes.length;
    if (this.#dammed === null) this.channel.writeOwned(bytes);
    else this.#dammed.push(bytes);
  }

  /** Passes a backend's bytes on. */
  pass(chunk: Buffer, start: number, end: number, owned: boolean): void {
    if (this.#gathered.length > 0) this.flush();
    this.#counters.toClients += end - start;
    if (this.#dammed !== null) this.#dammed.push(stableCopy(chunk, start, end));
    else if (owned) this.channel.writeOwned(chunk.subarray(start, end));
    else this.channel.writeBorrowed(chunk, start, end);
  }
}

export const IDLE = 0x49;
export const IN_TRANSACTION = 0x54;
export const FAILED = 0x45;

const READY: Record<number, Buffer> = {
  [IDLE]: readyForQuery('I'),
  [IN_TRANSACTION]: readyForQuery('T'),
  [FAILED]: readyForQuery('E'),
};
