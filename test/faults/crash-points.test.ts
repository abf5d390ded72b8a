import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { CRASH_POINTS } from '../../src/mirror/crash-points.js';
import { until } from '../clients/conditions.js';
import { CrashFiles } from './crash-files.js';

/** A program that passes every point in turn, and says so. */
const MODULE = fileURLToPath(new URL('../../src/mirror/crash-points.js', import.meta.url));
const PROGRAM = `import { CRASH_POINTS, crashPoint } from ${JSON.stringify(MODULE)};
  for (const name of CRASH_POINTS) { crashPoint(name); console.log(name); }`;

const start = (env: Record<string, string>) =>
  spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...env },
  });

t.test('an armed point kills the process right there, once; all others are passed', async (t) => {
  const files = await CrashFiles.create();
  for (const [at, name] of CRASH_POINTS.entries()) {
    await files.arm(name);
    t.ok(files.waiting(name));
    const child = start(files.env);
    let said = '';
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString();
    });
    const [code, signal] = await once(child, 'close');
    t.strictSame([code, signal], [null, 'SIGKILL'], name);
    t.strictSame(said.split('\n').slice(0, -1), CRASH_POINTS.slice(0, at), `dead at ${name}`);
    t.notOk(files.waiting(name), 'disarmed by the crash');
  }
  const [code] = await once(start(files.env), 'close');
  t.equal(code, 0, 'nothing is armed any more');
});

t.test('the nth pass, and a sleep instead of a death', async (t) => {
  const files = await CrashFiles.create();
  await files.arm('rows-sent', { nth: 2, action: 'stop' });
  await once(start(files.env), 'close');
  t.match(files.left(), [/^rows-sent .*"nth":1/]);
  const child = start(files.env);
  const closed = once(child, 'close');
  const state = (): string => /State:\t(\w)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? '';
  await until('asleep', () => state() === 'T');
  child.kill('SIGCONT');
  t.strictSame(await closed, [0, null]);
});

t.test('nothing but the test arms them', async (t) => {
  const files = await CrashFiles.create();
  for (const name of CRASH_POINTS) await files.arm(name);
  const { NODE_OPTIONS: _, ...env } = files.env;
  const [code] = await once(start(env), 'close');
  t.equal(code, 0);
  t.equal(files.left().length, CRASH_POINTS.length);
});
