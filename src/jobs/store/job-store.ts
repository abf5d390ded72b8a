import pg from 'pg';
import type { ControlDatabase } from './control-database.js';

export type JobKind = 'backfill' | 'verify' | 'repair';
export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'canceled';

/** Long work on one domain, which survives whoever runs it. */
export interface Job {
  readonly id: string;
  readonly domain: string;
  readonly kind: JobKind;
  /** JSON, by kind. */
  readonly args: unknown;
  readonly state: JobState;
  /** JSON; what is needed to go on, and to show how far it is. */
  readonly progress: unknown;
  readonly result: unknown;
  readonly error: string | null;
  /** Names the process that runs it. */
  readonly runner: string | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

const COLUMNS = `id::text, domain, kind, args, state, progress, result, error, runner, created_at AS "createdAt",
  started_at AS "startedAt", finished_at AS "finishedAt"`;

/** A runner that has not been heard of for so long is dead: its job is taken up again. Several beats long. */
const DEAD_AFTER = "interval '15 seconds'";

/** The first of a domain's jobs, a dead runner's before those that wait. */
const TAKE = `
UPDATE pgfig.jobs SET state = 'running', runner = $2, started_at = coalesce(started_at, now()), beat_at = now()
 WHERE id = (SELECT id FROM pgfig.jobs
              WHERE domain = $1 AND (state = 'waiting' OR state = 'running' AND beat_at < now() - ${DEAD_AFTER})
              ORDER BY state = 'running' DESC, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING ${COLUMNS}`;

/** The jobs in the control database. Every change by a runner holds only while the job is still its own. */
export class JobStore {
  readonly #control: ControlDatabase;

  constructor(control: ControlDatabase) {
    this.#control = control;
  }

  /** @throws what the driver throws, as all of these */
  async create(domain: string, kind: JobKind, args: object): Promise<Job> {
    const rows = await this.#jobs(
      `INSERT INTO pgfig.jobs (domain, kind, args) VALUES ($1, $2, $3) RETURNING ${COLUMNS}`,
      [domain, kind, JSON.stringify(args)],
    );
    const [job] = rows;
    if (job === undefined) throw new Error('the job was not stored');
    return job;
  }

  async get(id: string): Promise<Job | null> {
    const [job] = await this.#jobs(`SELECT ${COLUMNS} FROM pgfig.jobs WHERE id = $1`, [id]);
    return job ?? null;
  }

  /** Those of a domain that are not over, the first to be run first. */
  open(domain: string): Promise<Job[]> {
    const states = "state IN ('running', 'waiting')";
    return this.#jobs(
      `SELECT ${COLUMNS} FROM pgfig.jobs WHERE domain = $1 AND ${states} ORDER BY jobs.state, jobs.id`,
      [domain],
    );
  }

  /** The next job of a domain that nobody else works on; null: none. */
  async take(domain: string, runner: string): Promise<Job | null> {
    try {
      const [job] = await this.#jobs(TAKE, [domain, runner]);
      return job ?? null;
    } catch (error) {
      // Another one is running (jobs_running).
      if (error instanceof pg.DatabaseError && error.code === '23505') return null;
      throw error;
    }
  }

  /** @returns false: the job is this runner's no longer, by a cancel or since it was taken for dead */
  beat(id: string, runner: string, progress: object): Promise<boolean> {
    return this.#own(id, runner, 'beat_at = now(), progress = $3', [JSON.stringify(progress)]);
  }

  finish(id: string, runner: string, end: { result: object } | { error: string }): Promise<boolean> {
    const failed = 'error' in end;
    return this.#own(
      id,
      runner,
      `state = '${failed ? 'failed' : 'done'}', finished_at = now(), ${failed ? 'error' : 'result'} = $3`,
      [failed ? end.error : JSON.stringify(end.result)],
    );
  }

  /** Whoever comes next goes on. */
  release(id: string, runner: string, progress: object): Promise<boolean> {
    return this.#own(id, runner, "state = 'waiting', runner = NULL, progress = $3", [JSON.stringify(progress)]);
  }

  /** @returns false: it was over */
  async cancel(id: string): Promise<boolean> {
    const { rowCount } = await this.#control.query(
      `UPDATE pgfig.jobs SET state = 'canceled', finished_at = now() WHERE id = $1 AND state IN ('waiting', 'running')`,
      [id],
    );
    return rowCount === 1;
  }

  async #own(id: string, runner: string, set: string, values: readonly unknown[]): Promise<boolean> {
    const { rowCount } = await this.#control.query(
      `UPDATE pgfig.jobs SET ${set} WHERE id = $1 AND runner = $2 AND state = 'running'`,
      [id, runner, ...values],
    );
    return rowCount === 1;
  }

  async #jobs(sql: string, values: readonly unknown[]): Promise<Job[]> {
    const { rows } = await this.#control.query<Job & pg.QueryResultRow>(sql, values);
    return rows;
  }
}
