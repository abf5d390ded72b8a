import type { Socket } from 'node:net';

/** What happens to what is sent in one direction; changed while connections run. */
export interface Weather {
  /** Nothing arrives. */
  dead: boolean;
  /** Milliseconds. */
  delay: number;
  bytesPerSecond: number | null;
}

/** What is on its way: bytes, a close in good order, or an RST. */
type Item = { readonly due: number } & ({ readonly bytes: Buffer } | { readonly end: 'fin' | 'reset' });

/** More than that is not taken from the sender: a real network holds no more than the windows do. */
const WINDOW = 256 * 1024;
/** A limited direction sends this often. */
const TICK_MS = 20;

/** One direction of one connection. */
export class Direction {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #weather: Weather;
  readonly #way: Item[] = [];
  #held = 0;
  #timer: NodeJS.Timeout | null = null;
  #draining = false;
  /** Bytes that may be sent now. */
  #allowance = 0;
  #counted = 0;
  #stopped = false;

  constructor(from: Socket, to: Socket, weather: Weather) {
    this.#from = from;
    this.#to = to;
    this.#weather = weather;
    from.on('data', (bytes: Buffer) => this.#take({ bytes, due: Date.now() + weather.delay }));
    from.on('end', () => this.#take({ end: 'fin', due: Date.now() + weather.delay }));
    // Comes with the reset of a peer, and with a server that refuses the connect.
    from.on('error', () => this.#take({ end: 'reset', due: Date.now() + weather.delay }));
  }

  stop(): void {
    this.#stopped = true;
    this.#way.length = 0;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** Delivers what is due; called again whenever the weather has changed. */
  pump(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#earn();
    while (!this.#stopped && !this.#draining && !this.#weather.dead) {
      const [item] = this.#way;
      if (item === undefined) break;
      const wait = item.due - Date.now();
      if (wait > 0 || this.#allowance < 1) {
        this.#timer = setTimeout(() => this.pump(), Math.max(wait, this.#allowance < 1 ? TICK_MS : 1));
        break;
      }
      this.#way.shift();
      if ('end' in item) this.#close(item.end);
      else this.#send(item.bytes, item.due);
    }
    if (this.#held < WINDOW && this.#from.isPaused()) this.#from.resume();
  }

  #take(item: Item): void {
    if (this.#stopped) return;
    this.#way.push(item);
    if ('bytes' in item) this.#held += item.bytes.length;
    if (this.#held >= WINDOW) this.#from.pause();
    // A timer is running: this one is not the head.
    if (this.#timer === null) this.pump();
  }

  /** A bucket of two ticks, filled as time goes by. */
  #earn(): void {
    const rate = this.#weather.bytesPerSecond ?? Infinity;
    const now = Date.now();
    const earned = rate === Infinity ? Infinity : (rate * (now - this.#counted)) / 1000;
    this.#allowance = Math.min(this.#allowance + earned, (rate * 2 * TICK_MS) / 1000);
    this.#counted = now;
  }

  #send(bytes: Buffer, due: number): void {
    const now = bytes.length <= this.#allowance ? bytes : bytes.subarray(0, Math.floor(this.#allowance));
    this.#allowance -= now.length;
    if (now.length < bytes.length) this.#way.unshift({ bytes: bytes.subarray(now.length), due });
    this.#held -= now.length;
    if (!this.#to.destroyed && !this.#to.write(now)) {
      this.#draining = true;
      this.#to.once('drain', () => {
        this.#draining = false;
        this.pump();
      });
    }
  }

  #close(how: 'fin' | 'reset'): void {
    if (this.#to.destroyed) return;
    if (how === 'fin') this.#to.end();
    else this.#to.resetAndDestroy();
  }
}
