import pg from 'pg';
import type { Journal, Operation } from './journal.js';
import { KINDS, type Kind, pickKind, type Work } from './operations.js';
import { Random } from './random.js';

export interface Persona {
  readonly name: string;
  /** Asked for at each connect, since what is behind it may have been started anew. */
  readonly url: () => string;
  /** Run on each new connection. */
  readonly settings?: readonly string[];
  readonly durable?: boolean;
  readonly kinds?: readonly Kind[];
  /** Ends its transactions with PREPARE TRANSACTION and COMMIT PREPARED. */
  readonly twoPhase?: boolean;
}

/** Longer than any lock that the faults leave behind; then the connection is given up and its operation unknown. */
const QUERY_TIMEOUT_MS = 6_000;
const CONNECT_TIMEOUT_MS = 2_000;
const RETRY_MS = 50;

/** One connection after the other, one operation after the other, until told to stop. */
export class Writer {
  readonly done: Promise<void>;
  readonly #persona: Persona;
  readonly #journal: Journal;
  readonly #random: Random;
  readonly #pace: number;
  #stopped = false;

  /** @param pace milliseconds between two operations, at most */
  constructor(persona: Persona, journal: Journal, seed: number, pace: number) {
    this.#persona = persona;
    this.#journal = journal;
    this.#random = new Random(seed);
    this.#pace = pace;
    this.done = this.#run();
  }

  stop(): void {
    this.#stopped = true;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const client = new pg.Client({
        connectionString: this.#persona.url(),
        application_name: this.#persona.name,
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        query_timeout: QUERY_TIMEOUT_MS,
      });
      const connection = { broken: false };
      for (const event of ['error', 'end'] as const) {
        client.on(event, () => {
          connection.broken = true;
        });
      }
      try {
        await client.connect();
        for (const setting of this.#persona.settings ?? []) await client.query(setting);
        if (this.#persona.twoPhase === true) await settlePrepared(client, this.#journal, this.#persona.name);
        while (!this.#stopped && !connection.broken) {
          if (!(await this.#operate(client))) break;
          await pause(this.#random.below(this.#pace + 1));
        }
      } catch {
        await pause(RETRY_MS);
      }
      await abandon(client);
    }
  }

  /** @returns whether the connection is of any more use */
  async #operate(client: pg.Client): Promise<boolean> {
    const random = this.#random;
    const { name: writer, durable = true, kinds = KINDS, twoPhase = false } = this.#persona;
    const kind = pickKind(random, kinds);
    const operation = this.#journal.begin(random.uuid(), kind.name, writer, durable);
    const work = { client, random, op: operation.id, writer };
    if (twoPhase) return inTwoPhases(kind, work, operation);
    if (kind.single === true && random.chance(0.6)) return implicitly(kind, work, operation);
    return transact(kind, work, operation, random.chance(0.12));
  }
}

/** One statement, whose answer is that of its transaction. */
async function implicitly(kind: Kind, work: Work, operation: Operation): Promise<boolean> {
  try {
    await kind.run(work);
    operation.outcome = 'acked';
    return true;
  } catch (error) {
    return failAtEnd(operation, error);
  }
}

async function transact(kind: Kind, work: Work, operation: Operation, undo: boolean): Promise<boolean> {
  const { client } = work;
  try {
    await client.query('BEGIN');
    await kind.run(work);
  } catch (error) {
    // COMMIT was never sent, so whoever lost the connection has to roll back.
    fail(operation, error);
    return client.query('ROLLBACK').then(
      () => true,
      () => false,
    );
  }
  try {
    if (undo) operation.outcome = 'failed';
    const { command } = await client.query(undo ? 'ROLLBACK' : 'COMMIT');
    if (!undo) operation.outcome = command === 'COMMIT' ? 'acked' : 'failed';
    return true;
  } catch (error) {
    if (undo) return false;
    return failAtEnd(operation, error);
  }
}

async function inTwoPhases(kind: Kind, work: Work, operation: Operation): Promise<boolean> {
  const { client, op, writer } = work;
  const id = `'${writer} ${op}'`;
  try {
    await client.query('BEGIN');
    await kind.run(work);
  } catch (error) {
    fail(operation, error);
    await client.query('ROLLBACK');
    return true;
  }
  operation.outcome = 'prepared';
  await client.query(`PREPARE TRANSACTION ${id}`);
  const keep = work.random.chance(0.8);
  await client.query(`${keep ? 'COMMIT' : 'ROLLBACK'} PREPARED ${id}`);
  operation.outcome = keep ? 'acked' : 'failed';
  return true;
}

/**
 * Ends what a writer has left prepared. What is not there any more was committed or rolled back by a command whose
 * answer was lost, or never prepared: unknown.
 */
export async function settlePrepared(client: pg.Client, journal: Journal, writer: string): Promise<void> {
  const found = await client.query<{ gid: string }>(
    'SELECT gid FROM pg_prepared_xacts WHERE database = current_database() AND starts_with(gid, $1)',
    [`${writer} `],
  );
  const left = new Set(found.rows.map(({ gid }) => gid));
  for (const operation of journal.operations) {
    if (operation.outcome !== 'prepared' || operation.writer !== writer) continue;
    const gid = `${writer} ${operation.id}`;
    if (left.has(gid)) await client.query(`COMMIT PREPARED '${gid}'`);
    operation.outcome = left.has(gid) ? 'acked' : 'unknown';
  }
}

function fail(operation: Operation, error: unknown): void {
  operation.outcome = 'failed';
  operation.error = describe(error);
}

/** An error in answer to what ends a transaction. @returns whether the connection is of any more use */
function failAtEnd(operation: Operation, error: unknown): boolean {
  fail(operation, error);
  const code = error instanceof pg.DatabaseError ? error.code : undefined;
  // Nobody knows when the connection is lost, the server goes down (57P), or pgfig says that it does not know (08).
  const told = code !== undefined && !/^(08|57P|58|XX)/.test(code);
  if (!told) operation.outcome = 'unknown';
  return told;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && error.code !== undefined ? `${error.code} ` : '';
  return `${code}${error.message.replaceAll(/\d+/g, 'N').slice(0, 90)}`;
}

/** Closes without a farewell if there is no other way: behind a cut network nobody answers. */
async function abandon(client: pg.Client): Promise<void> {
  client.on('error', () => {});
  const end = client.end().catch(() => {});
  await Promise.race([end, pause(200)]);
  // node-postgres keeps the socket to itself in its types.
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
