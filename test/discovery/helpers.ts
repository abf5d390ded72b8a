import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Found } from '../../src/discovery/found.js';
import { discoverLogs, type FromLogs } from '../../src/discovery/from-logs.js';
import type { LogEntry } from '../../src/discovery/logs/log-entry.js';
import { Recorder, type RecorderOptions, serviceByName } from '../../src/discovery/recorder.js';
import type { Matrix } from '../../src/matrix/matrix.js';
import { loadParser } from '../../src/sql/parser.js';
import { onTeardown } from '../support/teardown.js';

export const OPTIONS: RecorderOptions = {
  parser: await loadParser(),
  cache: { entries: 1000, bytes: 16 * 1024 * 1024 },
  catalog: null,
  database: 'monolith',
  serviceOf: serviceByName,
};

/** Reads logs of the database `postgres` without a catalog. */
export const discover = (files: readonly string[], more: Partial<FromLogs> = {}): Promise<Found> =>
  discoverLogs({ ...OPTIONS, files, lines: 'statements', linePrefix: null, dbname: 'postgres', ...more });

export const newRecorder = (more: Partial<RecorderOptions> = {}): Recorder => new Recorder({ ...OPTIONS, ...more });

/** 'service table access: statements' with what is not zero of the rest, sorted. */
export function cellLines({ cells }: Matrix): string[] {
  return cells
    .map(({ service, table, access, statements, hidden, errors, rows }) => {
      const more = Object.entries({ hidden, errors, rows }).filter(([, count]) => count > 0);
      return [`${service} ${table} ${access}: ${statements}`, ...more.map(([what, count]) => `${what} ${count}`)].join(
        ', ',
      );
    })
    .sort();
}

/** 'service kind a b: count', sorted. */
export const pairLines = ({ pairs }: Matrix): string[] =>
  pairs.map(({ service, kind, a, b, count }) => `${service} ${kind} ${a} ${b}: ${count}`).sort();

/** A folder for the test file, removed at its end. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pgfig-discovery-'));
  await onTeardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** An entry as csvlog tells it; what is not given is that of a client's session of service `web`. */
export function entryOf(
  message: string,
  more: Partial<Omit<LogEntry, 'message' | 'detail' | 'query'>> & EntryTexts = {},
): LogEntry {
  const { detail = null, query = null, ...facts } = more;
  return {
    time: Date.UTC(2026, 4, 4, 10),
    session: 's1',
    user: 'ann',
    database: 'postgres',
    application: 'web',
    address: '10.0.0.1',
    tag: 'idle',
    transaction: '',
    severity: 'LOG',
    sqlstate: '00000',
    backend: 'client backend',
    ...facts,
    message: Buffer.from(message),
    detail: detail === null ? null : Buffer.from(detail),
    query: query === null ? null : Buffer.from(query),
  };
}

interface EntryTexts {
  readonly detail?: string | null;
  readonly query?: string | null;
}
