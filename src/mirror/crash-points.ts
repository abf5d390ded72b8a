/** The moments in the relay's work at which tests let its process die. */
export const CRASH_POINTS = [
  'turn-begun',
  'source-read',
  'keys-sent',
  'rows-sent',
  'before-advance',
  'before-commit',
  'after-commit',
  'before-garbage',
  'after-garbage',
  'install-half',
  'backfill-chunk',
  'kafka-before-send',
  'kafka-after-send',
  'kafka-before-position',
] as const;

export type CrashPoint = (typeof CRASH_POINTS)[number];

let hook: ((name: CrashPoint) => void) | null = null;

/**
 * Says that the process has come to a named point of the relay's work. Does nothing in production: neither
 * configuration nor an environment variable of pgfig arms it, only a program that calls {@link onCrashPoint}.
 */
export function crashPoint(name: CrashPoint): void {
  if (hook !== null) hook(name);
}

/** For tests: what happens at every point from now on. The hook may end or stop the process. */
export function onCrashPoint(next: ((name: CrashPoint) => void) | null): void {
  hook = next;
}
