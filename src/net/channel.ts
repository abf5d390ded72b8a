import net from 'node:net';
import type tls from 'node:tls';
import { getSystemErrorName } from 'node:util';
import { type DirectHandle, directHandle, writeDirect, writeDirectCopy } from './direct-write.js';
import { stableCopy } from './slab.js';

/**
 * What a channel tells its owner. `chunk` is borrowed: it is valid until `onData` returns, and whoever
 * keeps or writes any of it on copies it (`writeBorrowed` does), except where `owned` is true: then
 * `writeOwned` may pass it on as it is.
 */
export interface ChannelOwner {
  onData(chunk: Buffer, owned: boolean): void;
  /** What was written has left; a producer that was paused may go on. */
  onDrain(): void;
  /** The peer is gone (half-closed counts), or the socket failed. Called once. */
  onClosed(error: Error | null): void;
  /** The peer sends nothing more, but may still read; without this it counts as gone. */
  onHalfClosed?(): void;
}

/**
 * The memory that all plain sockets of the process read into, so that thousands of idle ones cost nothing. One chunk
 * is dealt with at a time; what outlives that is copied. (A buffer of its own
 * for a socket that streams would save a copy, but choosing the buffer anew for each read makes short reads a third slower:
 * docs/decisions/0003.)
 */
const shared = Buffer.allocUnsafeSlow(64 * 1024);

/** Above this much unsent data `congested` is true and the producer is to be paused. */
const WRITE_LIMIT = 64 * 1024;

/**
 * A socket as pgfig uses it: chunks in by a callback without streams, events or allocation, whole chunks
 * out, and backpressure both ways. A plain socket reads with `onread` into shared
 * memory and writes to its handle; a TLS socket ignores `onread`, and its chunks are its own.
 */
export class Channel {
  #socket: net.Socket;
  #owner: ChannelOwner;
  /** Set where writes go past the stream. */
  #handle: DirectHandle | null = null;
  /** Bytes given to libuv that the kernel has not taken yet. */
  #pending = 0;
  #closed = false;
  #paused = false;
  #waiting = false;

  private constructor(socket: net.Socket, owner: ChannelOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#listen(socket);
  }

  /**
   * Takes over an accepted socket by its handle, which is the only way to give `onread` to a socket that
   * `net.Server` made. Not public API of Node, hence here alone and guarded by a canary test; the server
   * must accept with `pauseOnConnect`, so that no byte was read before.
   */
  static adopt(accepted: net.Socket, owner: ChannelOwner): Channel {
    const handle = (accepted as unknown as { _handle: unknown })._handle;
    if (handle === null || handle === undefined) return Channel.overStream(accepted, owner);
    (accepted as unknown as { _handle: unknown })._handle = null;
    const channel: { current: Channel | null } = { current: null };
    const socket = new net.Socket({
      handle,
      allowHalfOpen: true,
      writableHighWaterMark: WRITE_LIMIT,
      onread: {
        buffer: shared,
        callback: (length: number) => channel.current?.read(length) ?? true,
      },
    } as unknown as net.SocketConstructorOpts);
    channel.current = new Channel(socket, owner);
    channel.current.#handle = directHandle(socket);
    socket.resume();
    return channel.current;
  }

  /** Opens a TCP connection (or a Unix socket where `host` starts with '/'); `onConnect` when it stands. */
  static connect(host: string, port: number, owner: ChannelOwner, onConnect: () => void): Channel {
    const channel: { current: Channel | null } = { current: null };
    const target = host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port };
    const socket = net.connect({
      ...target,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
      writableHighWaterMark: WRITE_LIMIT,
      onread: {
        buffer: shared,
        callback: (length: number) => channel.current?.read(length) ?? true,
      },
    } as unknown as net.NetConnectOpts);
    const made = new Channel(socket, owner);
    channel.current = made;
    socket.once('connect', () => {
      made.#handle = directHandle(socket);
      onConnect();
    });
    return made;
  }

  /** A socket whose chunks come by 'data' events and are never reused: TLS. */
  static overStream(socket: net.Socket | tls.TLSSocket, owner: ChannelOwner): Channel {
    const channel = new Channel(socket, owner);
    socket.on('data', (chunk: Buffer) => {
      if (!channel.#closed) channel.#owner.onData(chunk, true);
    });
    return channel;
  }

  get socket(): net.Socket {
    return this.#socket;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** More is waiting to be sent than should be: pause who produces it until `onDrain`. */
  get congested(): boolean {
    return this.#pending + this.#socket.writableLength >= WRITE_LIMIT;
  }

  setOwner(owner: ChannelOwner): void {
    this.#owner = owner;
  }

  /** Writes bytes that never change after this call. */
  writeOwned(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (this.#handle === null) {
      this.#socket.write(bytes);
      if (this.congested) this.#waiting = true;
    } else this.#note(writeDirect(this.#handle, bytes, this.#onWritten));
  }

  /** Copies `chunk[start, end)` and writes it. */
  writeBorrowed(chunk: Buffer, start: number, end: number): void {
    if (this.#closed) return;
    if (this.#handle === null) this.writeOwned(stableCopy(chunk, start, end));
    else this.#note(writeDirectCopy(this.#handle, chunk, start, end, this.#onWritten));
  }

  #note(left: number): void {
    if (left === 0) return;
    if (left < 0) {
      // Not now: the caller is in the middle of something and does not expect its session to end under it.
      const error = new Error(getSystemErrorName(left));
      setImmediate(() => this.#close(error));
      return;
    }
    this.#pending += left;
    if (this.congested) this.#waiting = true;
  }

  readonly #onWritten = (status: number, bytes: number): void => {
    this.#pending -= bytes;
    if (status < 0) return this.#close(new Error(getSystemErrorName(status)));
    if (this.#pending === 0 && this.#waiting) {
      this.#waiting = false;
      if (!this.#closed) this.#owner.onDrain();
    }
  };

  /** Stops reading; the kernel's window then holds the peer back. */
  pause(): void {
    if (this.#paused || this.#closed) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused || this.#closed) return;
    this.#paused = false;
    this.#socket.resume();
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Sends what waits, then closes; the rest of what the peer sends is dropped. */
  end(): void {
    if (this.#closed) return;
    this.#closed = true;
    const socket = this.#socket;
    socket.resume();
    socket.end(() => socket.destroySoon());
    // A peer that never reads would keep the socket for ever.
    setTimeout(() => socket.destroy(), 2_000).unref();
  }

  destroy(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  /** Gives the raw socket away, to be wrapped by TLS; this channel is then dead. */
  detach(): net.Socket {
    const socket = this.#socket;
    this.#closed = true;
    this.#handle = null;
    socket.removeAllListeners();
    socket.on('error', () => undefined);
    return socket;
  }

  /** `onread`'s callback: false stops reading until `resume`. */
  private read(length: number): boolean {
    if (this.#closed) return true;
    this.#owner.onData(length === shared.length ? shared : shared.subarray(0, length), false);
    return !this.#paused;
  }

  #listen(socket: net.Socket): void {
    socket.on('drain', () => {
      if (!this.#waiting) return;
      this.#waiting = false;
      if (!this.#closed) this.#owner.onDrain();
    });
    socket.on('error', (error) => this.#close(error));
    socket.on('end', () => {
      if (socket.allowHalfOpen && this.#owner.onHalfClosed !== undefined) {
        if (!this.#closed) this.#owner.onHalfClosed();
      } else this.#close(null);
    });
    socket.on('close', () => this.#close(null));
  }

  #close(error: Error | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#owner.onClosed(error);
    this.#socket.destroySoon();
  }
}
