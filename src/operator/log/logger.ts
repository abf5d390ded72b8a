import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogConfig } from '../../config/config.js';

/** Only a terminal needs it. */
const pretty = process.stderr.isTTY === true ? (await import('pino-pretty')).PinoPretty : null;

/** What may wait to be written when whoever reads stderr is slow; beyond it lines are lost, not memory. */
const MOST_WAITING_BYTES = 16 * 1024 * 1024;

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
export function openLog(name: string, level: LogConfig['level']): ProcessLog {
  const file = pino.destination({ dest: 2, sync: pretty !== null, maxLength: MOST_WAITING_BYTES });
  const destination: DestinationStream =
    pretty === null
      ? file
      : pretty({
          destination: file,
          colorize: true,
          singleLine: true,
          ignore: 'pid,hostname',
          translateTime: 'SYS:HH:MM:ss.l',
        });
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
