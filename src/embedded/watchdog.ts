import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Reads its standard input to the end. The line "done" dismisses it; an end without that line means
 * that the process that held the pipe has died (SIGKILL runs no exit hook): the server is stopped by
 * its own pid file, and the folder removed.
 */
const SCRIPT = `
read -r word && [ "$word" = done ] && exit 0
pid=$(head -n 1 "$1/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
  kill -QUIT "$pid" 2>/dev/null
  tries=0
  while kill -0 "$pid" 2>/dev/null && [ $tries -lt 100 ]; do tries=$((tries + 1)); sleep 0.05; done
fi
[ -z "$2" ] || rm -rf -- "$2"
`;

export interface Watchdog {
  /** Its work is not needed: the server has been stopped in good order. */
  dismiss(): Promise<void>;
}

/**
 * Stops a PostgreSQL server and removes its folder when this process dies without doing so.
 * @param dataFolder the server's data folder
 * @param remove folder to remove; null: keep everything
 */
export function startWatchdog(dataFolder: string, remove: string | null): Watchdog {
  if (process.platform === 'win32') return { dismiss: async () => undefined };
  // A session of its own: Ctrl-C in the terminal must not end the watchdog before what it watches.
  const child: ChildProcess = spawn('/bin/sh', ['-c', SCRIPT, 'pgfig-watchdog', dataFolder, remove ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.unref();
  child.on('error', () => undefined);
  child.stdin?.on('error', () => undefined);
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  return {
    dismiss: async () => {
      child.ref();
      child.stdin?.end('done\n');
      await gone;
    },
  };
}
