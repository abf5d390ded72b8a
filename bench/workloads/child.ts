import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Runs a program to its end.
 * @returns what it wrote to stdout and stderr
 * @throws Error with that text when it fails
 */
export function runProgram(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
  input: string | null = null,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { signal, stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    const collect = (text: string): void => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${program} ended with ${code}: ${output.slice(-600)}`)),
    );
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
  });
}

/**
 * Runs a script of this folder in a Node process of its own, so that the client's garbage is not the harness's, and
 * reads the one JSON value that it prints.
 */
export async function runClient<T>(script: string, task: unknown, signal: AbortSignal): Promise<T> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const output = await runProgram(process.execPath, [file], signal, JSON.stringify(task));
  return JSON.parse(output) as T;
}

/** For the scripts: the task that `runClient` gave them. */
export async function readTask<T>(): Promise<T> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) text += String(chunk);
  return JSON.parse(text) as T;
}
