import type pg from 'pg';
import { connectPg } from '../../backend/pg-client.js';
import type { Config } from '../../config/config.js';
import { type Cell, cellKey, type Matrix, type Pair, pairKey } from '../../matrix/matrix.js';
import { ensureMatrixSchema } from './matrix-schema.js';

/** Rows of one statement: short enough for its time-out on a busy server, long enough to be few. */
const ROWS_AT_ONCE = 2_000;

/** What a later version of the schema adds, flushes do without. */
const NEEDED_VERSION = 1;

/** Names one writing of a matrix, so that one whose answer was lost is not added twice. */
export interface FlushId {
  /** UUID of the process that writes. */
  readonly instance: string;
  /** Grows by one with each writing. */
  readonly sequence: number;
}

const FLUSH = `
  INSERT INTO pgfig.matrix_flushes AS f VALUES ($1, $2, now())
  ON CONFLICT (instance) DO UPDATE SET sequence = excluded.sequence, flushed_at = now()
  WHERE f.sequence < excluded.sequence`;

/** Instances that are long gone try nothing again. */
const FORGET = "DELETE FROM pgfig.matrix_flushes WHERE flushed_at < now() - interval '30 days'";

/** In the order of the key, so that instances of a fleet that write at once wait for each other and never both. */
const ADD_CELLS = `
  INSERT INTO pgfig.matrix AS m
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
                       $8::bigint[], $9::bigint[], $10::float8[], $11::timestamptz[], $12::timestamptz[], $13::text[])
    AS c (k1, k2, k3, k4)
  ORDER BY k1 COLLATE "C", k2 COLLATE "C", k3 COLLATE "C", k4 COLLATE "C"
  ON CONFLICT (service, table_name, access, database) DO UPDATE SET
    statements = m.statements + excluded.statements, hidden = m.hidden + excluded.hidden,
    errors = m.errors + excluded.errors, refused = m.refused + excluded.refused,
    rows = m.rows + excluded.rows, seconds = m.seconds + excluded.seconds,
    first_seen = least(m.first_seen, excluded.first_seen), last_seen = greatest(m.last_seen, excluded.last_seen),
    example = CASE m.example WHEN '' THEN excluded.example ELSE m.example END`;

const ADD_PAIRS = `
  INSERT INTO pgfig.matrix_pairs AS p
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::timestamptz[],
                       $8::timestamptz[], $9::text[], $10::text[])
    AS c (k1, k2, k3, k4)
  ORDER BY k1 COLLATE "C", k2 COLLATE "C", k3 COLLATE "C", k4 COLLATE "C"
  ON CONFLICT (service, kind, table_a, table_b) DO UPDATE SET
    count = p.count + excluded.count, refused = p.refused + excluded.refused,
    first_seen = least(p.first_seen, excluded.first_seen), last_seen = greatest(p.last_seen, excluded.last_seen),
    example_a = CASE p.example_a WHEN '' THEN excluded.example_a ELSE p.example_a END,
    example_b = CASE p.example_b WHEN '' THEN excluded.example_b ELSE p.example_b END`;

/** The matrix in the control database. Adds up: over restarts and over a fleet. */
export class MatrixStore {
  readonly #config: Config;
  #client: pg.Client | null = null;

  constructor(config: Config) {
    this.#config = config;
  }

  /**
   * Adds a matrix to what is stored, as one transaction, once for each id.
   * @throws what the driver throws; whether it was added is not known then, and the same id may be tried again
   */
  async add(matrix: Matrix, { instance, sequence }: FlushId): Promise<void> {
    try {
      const client = await this.#open();
      await client.query('BEGIN');
      const flush = await client.query(FLUSH, [instance, sequence]);
      if (flush.rowCount === 1) await addAll(client, matrix);
      if (sequence === 1) await client.query(FORGET);
      await client.query('COMMIT');
    } catch (error) {
      // Nothing is known of the connection any more; its end rolls back.
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => {});
  }

  async #open(): Promise<pg.Client> {
    if (this.#client !== null) return this.#client;
    const client = await connectPg(this.#config, this.#config.control, 'pgfig matrix');
    try {
      await client.query('SET search_path = pg_catalog');
      await ensureMatrixSchema(client, NEEDED_VERSION);
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
    client.once('end', () => {
      if (this.#client === client) this.#client = null;
    });
    this.#client = client;
    return client;
  }
}

async function addAll(client: pg.ClientBase, { cells, pairs }: Matrix): Promise<void> {
  const byKey = cells.toSorted((a, b) => compare(cellKey(a), cellKey(b)));
  for (const some of chunks(byKey)) await client.query(ADD_CELLS, cellColumns(some));
  for (const some of chunks(pairs.toSorted((a, b) => compare(pairKey(a), pairKey(b))))) {
    await client.query(ADD_PAIRS, pairColumns(some));
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function* chunks<T>(all: readonly T[]): Iterable<readonly T[]> {
  for (let at = 0; at < all.length; at += ROWS_AT_ONCE) yield all.slice(at, at + ROWS_AT_ONCE);
}

const time = (ms: number): string => new Date(ms).toISOString();

const cellColumns = (cells: readonly Cell[]): unknown[][] => [
  cells.map(({ service }) => service),
  cells.map(({ table }) => table),
  cells.map(({ access }) => access),
  cells.map(({ database }) => database),
  cells.map(({ statements }) => statements),
  cells.map(({ hidden }) => hidden),
  cells.map(({ errors }) => errors),
  cells.map(({ refused }) => refused),
  cells.map(({ rows }) => rows),
  cells.map(({ seconds }) => seconds),
  cells.map(({ first }) => time(first)),
  cells.map(({ last }) => time(last)),
  cells.map(({ example }) => example),
];

const pairColumns = (pairs: readonly Pair[]): unknown[][] => [
  pairs.map(({ service }) => service),
  pairs.map(({ kind }) => kind),
  pairs.map(({ a }) => a),
  pairs.map(({ b }) => b),
  pairs.map(({ count }) => count),
  pairs.map(({ refused }) => refused),
  pairs.map(({ first }) => time(first)),
  pairs.map(({ last }) => time(last)),
  pairs.map(({ exampleA }) => exampleA),
  pairs.map(({ exampleB }) => exampleB),
];
