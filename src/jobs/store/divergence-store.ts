import type pg from 'pg';
import type { Divergence } from '../verify/divergence.js';
import type { ControlDatabase } from './control-database.js';

/** A divergence as it is kept. */
export interface StoredDivergence extends Divergence {
  readonly id: string;
}

/** A key that is known to diverge keeps its row and its age. */
const RECORD = `
WITH found AS (
  SELECT key, kind, columns, detail
    FROM jsonb_to_recordset($4::jsonb) AS f (key text, kind text, columns text[], detail jsonb)
), known AS (
  UPDATE pgfig.divergences d SET kind = f.kind, columns = f.columns, detail = f.detail, job = $3
    FROM found f
   WHERE d.domain = $1 AND d.table_name = $2 AND d.state = 'open' AND d.kind <> 'statement' AND d.key = f.key
  RETURNING d.key
)
INSERT INTO pgfig.divergences (domain, table_name, key, kind, columns, detail, job)
SELECT $1, $2, f.key, f.kind, coalesce(f.columns, '{}'), f.detail, $3
  FROM found f WHERE NOT EXISTS (SELECT FROM known k WHERE k.key = f.key)`;

const COLUMNS = `id::text, table_name AS "table", key, kind, columns, detail AS values`;
const OF_ROWS = "d.state = 'open' AND d.kind <> 'statement'";

/** The divergences in the control database. */
export class DivergenceStore {
  readonly #control: ControlDatabase;

  constructor(control: ControlDatabase) {
    this.#control = control;
  }

  /** @throws what the driver throws, as all of these */
  async record(domain: string, table: string, job: string, found: readonly Divergence[]): Promise<void> {
    if (found.length === 0) return;
    const rows = found.map(({ key, kind, columns, values }) => ({ key, kind, columns, detail: values ?? null }));
    await this.#control.query(RECORD, [domain, table, job, JSON.stringify(rows)]);
  }

  /** What a whole verify of the table has not found again is no more. */
  async closeOthers(domain: string, table: string, job: string): Promise<void> {
    await this.#control.query(
      `UPDATE pgfig.divergences d SET state = 'repaired', closed_at = now()
         FROM pgfig.jobs j
        WHERE d.domain = $1 AND d.table_name = $2 AND ${OF_ROWS} AND j.id = $3 AND d.found_at < j.started_at
          AND d.job IS DISTINCT FROM $3`,
      [domain, table, job],
    );
  }

  /** Of rows, not of statements: the next ones after that id. */
  async open(domain: string, table: string | null, after: string, most: number): Promise<StoredDivergence[]> {
    return this.#rows(
      `SELECT ${COLUMNS} FROM pgfig.divergences d
        WHERE domain = $1 AND ($2::text IS NULL OR table_name = $2) AND ${OF_ROWS} AND d.id > $3 ORDER BY d.id LIMIT $4`,
      [domain, table, after, most],
    );
  }

  /** What a job has found. */
  ofJob(job: string, most: number): Promise<StoredDivergence[]> {
    return this.#rows(`SELECT ${COLUMNS} FROM pgfig.divergences d WHERE job = $1 ORDER BY d.id LIMIT $2`, [job, most]);
  }

  async repaired(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#control.query(
      `UPDATE pgfig.divergences SET state = 'repaired', closed_at = now() WHERE id = ANY ($1::int8[]) AND state = 'open'`,
      [ids],
    );
  }

  /** Open ones by domain and table, those of statements too. */
  async counts(): Promise<{ domain: string; table: string; open: number }[]> {
    const { rows } = await this.#control.query<{ domain: string; table: string; open: string }>(
      `SELECT domain, table_name AS "table", count(*) AS open FROM pgfig.divergences WHERE state = 'open' GROUP BY 1, 2`,
    );
    return rows.map((row) => ({ ...row, open: Number(row.open) }));
  }

  async #rows(sql: string, values: readonly unknown[]): Promise<StoredDivergence[]> {
    const { rows } = await this.#control.query<StoredDivergence & pg.QueryResultRow>(sql, values);
    return rows.map(
      ({ values: detail, ...row }) => (detail === null ? row : { ...row, values: detail }) as StoredDivergence,
    );
  }
}
