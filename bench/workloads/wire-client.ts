import net from 'node:net';

export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/** ReadyForQuery, idle: the last bytes of an answer. https://www.postgresql.org/docs/current/protocol-message-formats.html */
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
const READ_BUFFER = 64 * 1024;

/**
 * As little of a Postgres client as measures a server and not itself: no decoding, no events, one shared read buffer.
 * It can log in without a password, send bytes, and wait until the answer ends in ReadyForQuery.
 */
export class WireClient {
  readonly #socket: net.Socket;
  #tail: Buffer = Buffer.alloc(0);
  #bytes = 0;
  #firstType = 0;
  #settle: { resolve: (bytes: number) => void; reject: (error: Error) => void } | null = null;

  /** @param buffer shared by clients of which only one waits for an answer at a time, or that all discard it */
  constructor(host: string, port: number, buffer: Buffer = Buffer.allocUnsafeSlow(READ_BUFFER)) {
    this.#socket = net.connect({
      host,
      port,
      noDelay: true,
      onread: { buffer, callback: (length) => this.#read(buffer, length) },
    });
    const lost = (error?: Error): void => this.fail(error ?? new Error('the server closed the connection'));
    this.#socket.on('error', lost);
    this.#socket.on('close', () => lost());
  }

  /**
   * Sends `request` and waits for the end of its answer.
   * @returns the answer's length in bytes
   * @throws Error when the answer starts with an ErrorResponse or the connection is lost
   */
  ask(request: Buffer): Promise<number> {
    this.#bytes = 0;
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket.write(request);
    });
  }

  end(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }

  #read(buffer: Buffer, length: number): boolean {
    if (this.#bytes === 0) this.#firstType = buffer[0] ?? 0;
    this.#bytes += length;
    if (this.#firstType === 0x45) {
      this.fail(new Error(errorText(buffer.subarray(0, length))));
      return true;
    }
    if (this.#endsReady(buffer, length)) {
      const settle = this.#settle;
      this.#settle = null;
      settle?.resolve(this.#bytes);
    }
    return true;
  }

  /** ReadyForQuery may be split over two chunks, so the end of a short chunk is looked at with what came before it. */
  #endsReady(buffer: Buffer, length: number): boolean {
    const end = buffer.subarray(Math.max(0, length - READY.length), length);
    if (end.length === READY.length) {
      const ready = end.equals(READY);
      this.#tail = ready ? EMPTY : Buffer.from(end);
      return ready;
    }
    this.#tail = Buffer.concat([this.#tail, end]).subarray(-READY.length);
    return this.#tail.equals(READY);
  }

  /** Rejects the request that waits for its answer, if there is one. */
  fail(error: Error): void {
    const settle = this.#settle;
    this.#settle = null;
    settle?.reject(error);
  }
}

const EMPTY = Buffer.alloc(0);

/**
 * Connects and logs in without a password.
 * @throws Error when refused, or when there is no answer within `deadline` milliseconds (as when a password is asked for)
 */
export async function login(to: Login, buffer?: Buffer, deadline = 10_000): Promise<WireClient> {
  const client = new WireClient(to.host, to.port, buffer);
  const late = setTimeout(() => client.fail(new Error(`no answer to a login within ${deadline} ms`)), deadline);
  try {
    await client.ask(startupMessage(to.user, to.database));
    return client;
  } catch (error) {
    client.end();
    throw error;
  } finally {
    clearTimeout(late);
  }
}

/** StartupMessage: int32 length, int32 196608 (3.0), then name and value strings, and a zero byte. */
export function startupMessage(user: string, database: string): Buffer {
  const body = Buffer.from(`user\0${user}\0database\0${database}\0application_name\0pgfig-bench\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length, 0);
  head.writeInt32BE(196608, 4);
  return Buffer.concat([head, body]);
}

/** One message: type byte, int32 length that counts itself, body. */
export function message(type: string, body: Buffer | string): Buffer {
  const bytes = Buffer.concat([Buffer.from(type), Buffer.alloc(4), Buffer.from(body)]);
  bytes.writeInt32BE(bytes.length - 1, 1);
  return bytes;
}

export const query = (sql: string): Buffer => message('Q', `${sql}\0`);

/** The text field `M` of an ErrorResponse. */
function errorText(bytes: Buffer): string {
  return /\0M([^\0]*)/.exec(bytes.toString('latin1'))?.[1] ?? 'the server answered with an error';
}
