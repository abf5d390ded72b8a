import type { Readable } from 'node:stream';
import { PgfigError } from '../../errors/pgfig-error.js';
import { CsvLog } from './csvlog.js';
import { JsonLog } from './jsonlog.js';
import { LogClock } from './log-clock.js';
import type { LogReader, OnEntry } from './log-entry.js';
import { openLog } from './open-log.js';
import { PlainLog } from './plain-log.js';

export interface LogFiles {
  readonly files: readonly string[];
  /** log_line_prefix of lines that are neither csvlog nor jsonlog; null: there are none. */
  readonly linePrefix: string | null;
  /** Told how many bytes of a file were read. */
  readonly onBytes?: (count: number) => void;
  readonly stdin?: Readable;
}

/** A line of csvlog begins with a time and a comma. */
const CSV = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [^,\s]{1,20},/;

/**
 * Reads log files one after the other, each by what it is.
 *
 * @returns sentences for the reader: what could not be read
 * @throws PgfigError FILE_UNREADABLE where a file cannot be read, or is no log; CONFIG_INVALID for a bad line prefix
 */
export async function readLogs({ files, linePrefix, onBytes, stdin }: LogFiles, onEntry: OnEntry): Promise<string[]> {
  const clock = new LogClock();
  const notes: string[] = [];
  for (const file of files) {
    let reader: LogReader | null = null;
    for await (const chunk of openLog(file, onBytes, stdin)) {
      reader = told(file, () => {
        const known = reader ?? readerFor(chunk, linePrefix, clock, onEntry);
        known.push(chunk);
        return known;
      });
    }
    told(file, () => reader?.end());
    const name = file === '-' ? 'stdin' : file;
    if (reader === null) notes.push(`${name} is empty.`);
    else if (reader.damaged > 0)
      notes.push(`${name}: ${reader.damaged} entries or lines are not whole and are left out.`);
  }
  if (clock.unknown.size > 0) {
    const zones = [...clock.unknown].sort().join(', ');
    notes.push(
      `What the time zone ${zones} of the log stands for is not known; its times are taken as UTC. Set log_timezone = UTC, or write %n into log_line_prefix.`,
    );
  }
  return notes;
}

function readerFor(first: Buffer, linePrefix: string | null, clock: LogClock, onEntry: OnEntry): LogReader {
  const text = first.toString('latin1', 0, 200);
  if (text.trimStart().startsWith('{')) return new JsonLog(clock, onEntry);
  if (CSV.test(text)) return new CsvLog(clock, onEntry);
  if (linePrefix !== null) return new PlainLog(linePrefix, clock, onEntry);
  throw new PgfigError('FILE_UNREADABLE', 'neither csvlog nor jsonlog', {
    hint: 'Set log_destination = csvlog (or jsonlog) with logging_collector = on; with --from-pgaudit, lines with a prefix are read by --line-prefix.',
  });
}

/** Errors name the file. */
function told<T>(file: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof PgfigError) || error.code !== 'FILE_UNREADABLE') throw error;
    throw new PgfigError(error.code, `${file === '-' ? 'stdin' : file}: ${error.message}`, {
      ...(error.hint !== undefined && { hint: error.hint }),
      cause: error,
    });
  }
}
