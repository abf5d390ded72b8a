import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends a process that a test has started, should the test itself be killed: its end of the pipe
 * closes, whatever the reason. SIGTERM first, SIGKILL three seconds later.
 * @param folder removed then, too
 */
export function guard(child: ChildProcess, folder = ''): void {
  if (child.pid === undefined) return;
  const script = `
    read -r word && exit 0
    kill -TERM "$1" 2>/dev/null && sleep 3 && kill -KILL "$1" 2>/dev/null
    [ -z "$2" ] || rm -rf -- "$2"`;
  const watcher = spawn('/bin/sh', ['-c', script, 'pgfig-guard', String(child.pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watcher.unref();
  watcher.on('error', () => undefined);
  watcher.stdin?.on('error', () => undefined);
  child.once('exit', () => watcher.stdin?.end('done\n'));
}
