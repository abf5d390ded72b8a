import { connect, type Socket } from 'node:net';
import { describe } from './describe.js';
import { encode, type Send } from './encode.js';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

export interface Message {
  /** First word of the line: ReadyForQuery, DataRow ... */
  readonly name: string;
  readonly line: string;
}

/** The connection has ended; stands at the end of the messages. */
export const CLOSED: Message = { name: 'close', line: '(closed)' };

/** Line for an answer that did not come. */
export const SILENCE = '(nothing more came)';

const PATIENCE = 5_000;
/** Answers of one bare byte to SSLRequest and GSSENCRequest have no length. */
const NEGOTIATIONS = new Set(['SSLRequest', 'GSSENCRequest']);

/** Speaks the wire protocol as it is told, right or wrong, and reads every message as one line. */
export class WireClient {
  readonly #socket: Socket;
  readonly #chunk: number;
  readonly #messages: Message[] = [];
  #pending: Buffer = Buffer.alloc(0);
  #awaitedBytes = 0;
  #wake: () => void = () => undefined;
  /** From BackendKeyData; for a CancelRequest. */
  #key: Buffer = Buffer.alloc(0);

  /** @param chunk bytes per write; 0: all at once */
  static async connect(endpoint: Endpoint, chunk = 0): Promise<WireClient> {
    const socket = connect({ host: endpoint.host, port: endpoint.port, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new WireClient(socket, chunk);
  }

  private constructor(socket: Socket, chunk: number) {
    this.#socket = socket;
    this.#chunk = chunk;
    socket.on('data', (data) => this.#receive(data));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      // What is no message: half of one, or an answer in the layout of protocol 2.
      const rest = this.#pending.toString('latin1');
      if (rest !== '') this.#push({ name: 'Bytes', line: `Bytes ${JSON.stringify(rest)}` });
      this.#push(CLOSED);
    });
  }

  /** Sends everything in one write, as a pipelining driver does. */
  async send(sends: readonly Send[]): Promise<void> {
    this.#awaitedBytes += sends.filter((send) => NEGOTIATIONS.has(send.message)).length;
    const bytes = Buffer.concat(sends.map(encode));
    if (this.#chunk === 0) {
      this.#socket.write(bytes);
      return;
    }
    for (let at = 0; at < bytes.length; at += this.#chunk) {
      this.#socket.write(bytes.subarray(at, at + this.#chunk));
      // Lets the piece leave and be read before the next one is written.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /**
   * Takes messages up to and with the count-th of that name; fewer when the connection ends or
   * nothing comes for 5 s, which is then the last line.
   */
  async until(name: string, count = 1): Promise<Message[]> {
    const taken: Message[] = [];
    for (let left = count; left > 0; ) {
      const message = await this.#next();
      taken.push(message);
      if (message.name === name) left--;
      if (message === CLOSED || message.name === 'timeout') break;
    }
    return taken;
  }

  /** Messages that nobody has asked for. */
  leftover(): Message[] {
    return this.#messages.splice(0);
  }

  /** Asks the server, on a connection of its own, to cancel what runs; returns when that connection is closed. */
  async cancel(endpoint: Endpoint): Promise<void> {
    const header = Buffer.alloc(8);
    header.writeInt32BE(8 + this.#key.length, 0);
    header.writeInt32BE(80877102, 4);
    const socket = connect({ host: endpoint.host, port: endpoint.port });
    socket.on('error', () => undefined);
    socket.resume();
    socket.end(Buffer.concat([header, this.#key]));
    await new Promise((resolve) => socket.once('close', resolve));
  }

  async end(): Promise<void> {
    if (this.#socket.destroyed) return;
    this.#socket.end(encode({ message: 'Terminate', values: [] }));
    const timer = setTimeout(() => this.#socket.destroy(), PATIENCE);
    await new Promise((resolve) => this.#socket.once('close', resolve));
    clearTimeout(timer);
  }

  async #next(): Promise<Message> {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      const left = deadline - Date.now();
      if (left <= 0) return { name: 'timeout', line: SILENCE };
      const timer = setTimeout(() => this.#wake(), left);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      clearTimeout(timer);
    }
  }

  #push(message: Message): void {
    this.#messages.push(message);
    this.#wake();
  }

  #receive(data: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, data]);
    while (this.#awaitedBytes > 0 && this.#pending.length > 0) {
      this.#awaitedBytes--;
      this.#push({ name: 'Byte', line: `Byte ${this.#pending.toString('latin1', 0, 1)}` });
      this.#pending = this.#pending.subarray(1);
    }
    while (this.#pending.length >= 5) {
      const end = this.#pending.readInt32BE(1) + 1;
      if (this.#pending.length < end) return;
      const type = this.#pending.toString('latin1', 0, 1);
      const body = this.#pending.subarray(5, end);
      if (type === 'K') this.#key = Buffer.from(body);
      const line = describe(type, body);
      this.#push({ name: /^\w+/.exec(line)?.[0] ?? '', line });
      this.#pending = this.#pending.subarray(end);
    }
  }
}
