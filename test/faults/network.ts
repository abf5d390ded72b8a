import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { onTeardown } from '../support/teardown.js';
import { Direction, type Weather } from './network-direction.js';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/**
 * A TCP relay between a client and a server that can be made as bad as a real network, while connections run:
 * `drop` (RST to both ends), `delay`, `cut` (nothing moves, sockets stay open, nobody is told), `halfOpen` (one
 * direction is dead), `limit` (bandwidth). What was sent during a cut arrives when it is healed, as TCP would send it
 * again; also a close. The server's address is asked for at each connect.
 */
export class FaultNetwork {
  readonly #server: Server;
  readonly #to: () => Endpoint;
  readonly #pairs = new Set<Pair>();
  readonly #up: Weather = { dead: false, delay: 0, bytesPerSecond: null };
  readonly #down: Weather = { dead: false, delay: 0, bytesPerSecond: null };
  #unreachable = false;

  static async open(to: () => Endpoint): Promise<FaultNetwork> {
    const network = new FaultNetwork(to);
    network.#server.listen(0, '127.0.0.1');
    await once(network.#server, 'listening');
    await onTeardown(() => network.close());
    return network;
  }

  private constructor(to: () => Endpoint) {
    this.#to = to;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Breaks every connection with an RST to both ends, as a firewall does that has forgotten them. */
  drop(): void {
    for (const pair of this.#pairs) pair.reset();
  }

  /** Refuses new connections too (RST right after the accept), until healed. */
  refuse(): void {
    this.#unreachable = true;
    this.drop();
  }

  cut(): void {
    this.#change({ dead: true }, { dead: true });
  }

  /** @param dead what no longer arrives: 'up' is from clients to the server */
  halfOpen(dead: 'up' | 'down'): void {
    this.#change({ dead: dead === 'up' }, { dead: dead === 'down' });
  }

  /** @param ms how much later everything arrives, in each direction */
  delay(ms: number): void {
    this.#change({ delay: ms }, { delay: ms });
  }

  limit(bytesPerSecond: number): void {
    this.#change({ bytesPerSecond }, { bytesPerSecond });
  }

  /** Everything as it should be; what was held is delivered. */
  heal(): void {
    this.#unreachable = false;
    const fine = { dead: false, delay: 0, bytesPerSecond: null };
    this.#change(fine, fine);
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) pair.reset();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #change(up: Partial<Weather>, down: Partial<Weather>): void {
    Object.assign(this.#up, up);
    Object.assign(this.#down, down);
    for (const pair of this.#pairs) pair.pump();
  }

  #accept(client: Socket): void {
    if (this.#unreachable) {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    const pair = new Pair(client, this.#to(), this.#up, this.#down);
    this.#pairs.add(pair);
    pair.onEnd = () => this.#pairs.delete(pair);
  }
}

/** A client's connection and the one to the server that belongs to it. */
class Pair {
  onEnd: () => void = () => {};
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #up: Direction;
  readonly #down: Direction;

  constructor(client: Socket, { host, port }: Endpoint, up: Weather, down: Weather) {
    this.#client = client;
    this.#server = connect({ host, port, allowHalfOpen: true, noDelay: true });
    this.#up = new Direction(client, this.#server, up);
    this.#down = new Direction(this.#server, client, down);
    for (const socket of [client, this.#server]) {
      socket.on('close', () => {
        if (this.#client.destroyed && this.#server.destroyed) this.onEnd();
      });
    }
  }

  pump(): void {
    this.#up.pump();
    this.#down.pump();
  }

  reset(): void {
    for (const direction of [this.#up, this.#down]) direction.stop();
    for (const socket of [this.#client, this.#server]) if (!socket.destroyed) socket.resetAndDestroy();
  }
}
