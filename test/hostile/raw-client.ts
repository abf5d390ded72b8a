import net from 'node:net';
import type { Target } from '../clients/target.js';

/** One message of the server: its type letter and what follows the length. */
export interface Message {
  readonly type: string;
  readonly body: Buffer;
}

/** Fields of an ErrorResponse, by their letter (S severity, C code, M message). */
export type ErrorFields = Readonly<Record<string, string>>;

export const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};
export const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
};
export const cstring = (text: string): Buffer => Buffer.from(`${text}\0`);

/** A message of the client, with a right length or, to lie, the one that is told. */
export function frame(type: string, body: Buffer = Buffer.alloc(0), length = body.length + 4): Buffer {
  return Buffer.concat([Buffer.from(type, 'latin1'), int32(length), body]);
}

export const query = (sql: string): Buffer => frame('Q', cstring(sql));
export const SYNC = frame('S');
export const FLUSH = frame('H');
export const SSL_REQUEST = Buffer.concat([int32(8), int32(80877103)]);

/** A startup packet of protocol 3.0 with these parameters. */
export function startup(parameters: Readonly<Record<string, string>>, version = 196608): Buffer {
  const pairs = Object.entries(parameters).map(([name, value]) => cstring(name) + cstring(value).toString());
  const body = Buffer.concat([int32(version), Buffer.from(pairs.join('')), Buffer.from([0])]);
  return Buffer.concat([int32(body.length + 4), body]);
}

export function errorFields(message: Message): ErrorFields {
  const fields = message.body.toString('utf8').split('\0').filter(Boolean);
  return Object.fromEntries(fields.map((field) => [field.slice(0, 1), field.slice(1)]));
}

const ANSWER_DEADLINE = 40_000;

/**
 * A client that sends whatever it is told, and reads only when asked, so that a test decides about backpressure. It
 * shares no code with the proxy.
 */
export class RawClient {
  readonly socket: net.Socket;
  /** BackendKeyData: process id and secret. */
  key = { pid: 0, secret: 0 };
  #buffer: Buffer = Buffer.alloc(0);

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
  }

  static async connect(target: Pick<Target, 'host' | 'port'>): Promise<RawClient> {
    const socket = net.connect({ host: target.host, port: target.port, noDelay: true });
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return client;
  }

  /** Connects and logs in without a password. */
  static async login(target: Target, parameters: Readonly<Record<string, string>> = {}): Promise<RawClient> {
    const client = await RawClient.connect(target);
    client.send(startup({ user: 'postgres', database: target.dbname, ...parameters }));
    await client.untilReady();
    return client;
  }

  send(...parts: readonly Buffer[]): boolean {
    return this.socket.write(Buffer.concat(parts));
  }

  /** The next message; null when the server has closed. @throws Error after 40 s of silence */
  async message(): Promise<Message | null> {
    while (this.#buffer.length < 5 || this.#buffer.length < 1 + this.#buffer.readInt32BE(1)) {
      if (!(await this.more())) return null;
    }
    const end = 1 + this.#buffer.readInt32BE(1);
    const message = { type: this.#buffer.toString('latin1', 0, 1), body: this.#buffer.subarray(5, end) };
    this.#buffer = this.#buffer.subarray(end);
    if (message.type === 'K') this.key = { pid: message.body.readInt32BE(0), secret: message.body.readInt32BE(4) };
    return message;
  }

  /** Everything up to and with ReadyForQuery. @throws Error when the server closes before */
  async untilReady(): Promise<Message[]> {
    const messages: Message[] = [];
    for (;;) {
      const message = await this.message();
      if (message === null) throw new Error(`closed after ${messages.map(describe).join(' ')}`);
      messages.push(message);
      if (message.type === 'Z') return messages;
    }
  }

  /** Everything until the server closes. */
  async untilClosed(): Promise<Message[]> {
    const messages: Message[] = [];
    for (;;) {
      const message = await this.message();
      if (message === null) return messages;
      messages.push(message);
    }
  }

  /** One byte that is no message: the answer to SSLRequest. */
  async byte(): Promise<string> {
    while (this.#buffer.length < 1) if (!(await this.more())) return '';
    const byte = this.#buffer.toString('latin1', 0, 1);
    this.#buffer = this.#buffer.subarray(1);
    return byte;
  }

  /** Values of the first column that a simple Query gives. @throws Error with code and text of an ErrorResponse */
  async rows(sql: string): Promise<string[]> {
    this.send(query(sql));
    const messages = await this.untilReady();
    const failed = messages.find((message) => message.type === 'E');
    if (failed !== undefined) throw new Error(describe(failed));
    return messages.filter((m) => m.type === 'D').map((m) => m.body.toString('utf8', 6, 6 + m.body.readInt32BE(2)));
  }

  /** Goes without a word. */
  vanish(): void {
    this.socket.resetAndDestroy();
  }

  /** Reads what has come, or waits for more; false when the server has closed. */
  async more(): Promise<boolean> {
    const deadline = Date.now() + ANSWER_DEADLINE;
    for (;;) {
      const chunk: Buffer | null = this.socket.read();
      if (chunk !== null) {
        this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
        return true;
      }
      if (this.socket.readableEnded || this.socket.destroyed) return false;
      if (Date.now() > deadline) throw new Error('no answer for 40 s');
      await this.#somethingHappens(deadline - Date.now());
    }
  }

  #somethingHappens(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const events = ['readable', 'end', 'close'] as const;
      const done = () => {
        clearTimeout(timer);
        for (const event of events) this.socket.off(event, done);
        resolve();
      };
      const timer = setTimeout(done, ms + 1);
      for (const event of events) this.socket.once(event, done);
    });
  }
}

/** `E FATAL 08P01 text`, or the letter alone. */
export function describe(message: Message): string {
  if (message.type !== 'E' && message.type !== 'N') return message.type;
  const { S, C, M } = errorFields(message);
  return `${message.type} ${S} ${C} ${M}`;
}
