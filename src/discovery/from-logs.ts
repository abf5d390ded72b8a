import { MOST_PAIRED } from '../matrix/footprint.js';
import type { Found } from './found.js';
import { AuditRecorder } from './logs/audit-recorder.js';
import { LogRecorder } from './logs/log-recorder.js';
import { type LogFiles, readLogs } from './logs/read-logs.js';
import { Recorder, type RecorderOptions } from './recorder.js';

export interface FromLogs extends RecorderOptions, LogFiles {
  /** Whose lines count: Postgres's own statement logging, or pgaudit's. */
  readonly lines: 'statements' | 'pgaudit';
  /** The database that counts, by the name that it has on its server. */
  readonly dbname: string;
}

/**
 * The matrix of server logs, in flat memory whatever their size.
 *
 * @throws PgfigError FILE_UNREADABLE, CONFIG_INVALID (line prefix)
 */
export async function discoverLogs(options: FromLogs): Promise<Found> {
  const recorder = new Recorder(options);
  const { take, end, notes } = takerOf(options, recorder);
  const reading = await readLogs(options, take);
  end();
  const matrix = recorder.matrix();
  return {
    matrix,
    statements: recorder.statements,
    failures: recorder.failures,
    since: Number.isFinite(recorder.first) ? recorder.first : null,
    until: Number.isFinite(recorder.last) ? recorder.last : null,
    notes: [...reading, ...notes(), ...notesOf(recorder)],
  };
}

type Taker = Pick<LogRecorder, 'take' | 'notes'> & { readonly end: () => void };

function takerOf({ lines, dbname, database, catalog }: FromLogs, recorder: Recorder): Taker {
  if (lines === 'statements') {
    const log = new LogRecorder(recorder, dbname);
    return { take: (entry) => log.take(entry), end: () => undefined, notes: () => log.notes() };
  }
  const audit = new AuditRecorder(recorder, dbname, database, catalog);
  return { take: (entry) => audit.take(entry), end: () => audit.end(), notes: () => audit.notes() };
}

function notesOf({ statements, failures, unparsable, unprepared, wide }: Recorder): string[] {
  const notes: string[] = [];
  if (statements + failures === 0) {
    notes.push(
      "The logs have no statement of this database. Which statements are logged is up to log_statement ('all'), log_min_duration_statement (0) or pgaudit.log.",
    );
  }
  if (unparsable > 0) notes.push(`${unparsable} statements do not parse; they are in the matrix as opaque.`);
  if (unprepared > 0) notes.push(`${unprepared} EXECUTEs are left out, whose PREPARE is not in the logs.`);
  if (wide > 0) notes.push(`${wide} transactions wrote more than ${MOST_PAIRED} tables, and are no pairs.`);
  return notes;
}
