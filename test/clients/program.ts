import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Target } from './target.js';

const BIN = '/usr/lib/postgresql/15/bin';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly child: ChildProcess;
  readonly done: Promise<Outcome>;
}

/** Whether PostgreSQL's client programs are installed; what to give tap's `skip` else. */
export const noPrograms = existsSync(`${BIN}/psql`) ? false : 'the client programs of PostgreSQL 15 are not installed';

/** Starts psql or pgbench against the target; `input` goes to its stdin, which is then closed. */
export function start(target: Target, name: 'psql' | 'pgbench', args: readonly string[], input = ''): Program {
  const env = {
    PATH: process.env.PATH,
    PGHOST: target.host,
    PGPORT: String(target.port),
    PGUSER: 'postgres',
    PGDATABASE: target.dbname,
    PGCONNECT_TIMEOUT: '10',
    LC_ALL: 'C',
  };
  const child = spawn(`${BIN}/${name}`, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const done = new Promise<Outcome>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  process.once('exit', () => child.kill('SIGKILL'));
  return { child, done };
}

/** psql without a startup file, aligned columns or notices of its own. */
export const psql = (target: Target, input: string, ...args: string[]): Promise<Outcome> =>
  start(target, 'psql', ['-X', '-qAt', '-v', 'ON_ERROR_STOP=1', ...args], input).done;
