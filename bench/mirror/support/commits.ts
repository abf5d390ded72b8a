import { login, query, type WireClient } from '../../workloads/wire-client.js';

export interface Commits {
  /** Milliseconds of each commit. */
  readonly times: readonly number[];
  readonly perSecond: number;
}

/** Rows of its own for each client: none waits for another one's lock. */
const ROWS_EACH = 100;
export const rowsFor = (clients: number): number => clients * ROWS_EACH;

/** Clients that do one commit after the other, each of one row. */
export class Committers {
  readonly #clients: readonly WireClient[];

  private constructor(clients: readonly WireClient[]) {
    this.#clients = clients;
  }

  static async connect(host: string, port: number, database: string, count: number): Promise<Committers> {
    const to = { host, port, user: 'postgres', database };
    return new Committers(await Promise.all(Array.from({ length: count }, () => login(to))));
  }

  /** @throws Error when the server refuses a statement */
  async run(table: string, clients: number, seconds: number): Promise<Commits> {
    const times: number[] = [];
    const began = performance.now();
    const until = began + seconds * 1_000;
    await Promise.all(
      this.#clients.slice(0, clients).map(async (client, at) => {
        for (let now = performance.now(); now < until; ) {
          const id = at * ROWS_EACH + Math.floor(Math.random() * ROWS_EACH);
          await client.ask(query(`UPDATE ${table} SET n = n + 1 WHERE id = ${id}`));
          const after = performance.now();
          times.push(after - now);
          now = after;
        }
      }),
    );
    return { times, perSecond: (times.length / (performance.now() - began)) * 1_000 };
  }

  end(): void {
    for (const client of this.#clients) client.end();
  }
}
