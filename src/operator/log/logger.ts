import { type DestinationStream, type Logger, pino } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { LogConfig } from '../../config/config.js';

export interface ProcessLog {
  readonly log: Logger;
  /** Writes what is still in memory; call it before process.exit. */
  flush(): void;
}

/**
 * The log of one process, on stderr, which all processes share: one JSON object a line, or a readable
 * line where stderr is a terminal. `name`: 'primary', 'control', 'worker-1'.
 *
 * What is logged is named field by field; configuration, startup packets and error objects of drivers
 * never go in whole, so that no password or verifier can slip in.
 */
export function openLog(name: string, level: LogConfig['level'], terminal = process.stderr.isTTY === true): ProcessLog {
  const file = pino.destination({ dest: 2, sync: terminal });
  const destination: DestinationStream = terminal
    ? PinoPretty({ destination: file, colorize: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' })
    : file;
  const log = pino(
    { level, base: { process: name, pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    destination,
  );
  return {
    log,
    flush: () => {
      try {
        file.flushSync();
      } catch {
        // Not open yet, or stderr is gone: there is nowhere left to say it.
      }
    },
  };
}

/** An error as the log shows it: its words, its code, and where it came from only for what is a bug. */
export function errorFields(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: String(error) };
  const fields: Record<string, unknown> = { error: error.message };
  if ('code' in error && typeof error.code === 'string') fields.code = error.code;
  if (error.name !== 'PgfigError' && fields.code === undefined) fields.stack = error.stack;
  return fields;
}
