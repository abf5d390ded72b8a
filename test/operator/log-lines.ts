import { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';

/** A logger whose lines a test can look at. */
export function logLines(level = 'info'): { readonly log: Logger; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  return { log: pino({ level }, stream), lines };
}
