import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type CrashPoint, onCrashPoint } from '../../src/mirror/crash-points.js';
import { type Arming, FOLDER } from './crash-files.js';

/**
 * Loaded before pgfig's own program by `--import` (see crash-files.ts): makes crash points deadly. A point is armed by
 * a file of its name; the file is gone before the process is.
 */
const folder = process.env[FOLDER];
if (folder !== undefined) onCrashPoint((name) => pass(path.join(folder, name), name));

function pass(file: string, name: CrashPoint): void {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return;
  }
  // Half of a file that is just being written: the next pass has all of it.
  if (!text.endsWith('\n')) return;
  const { action, nth }: Arming = JSON.parse(text);
  if (nth > 1) return writeFileSync(file, `${JSON.stringify({ action, nth: nth - 1 })}\n`);
  unlinkSync(file);
  process.stderr.write(`${action} at crash point ${name}\n`);
  process.kill(process.pid, action === 'kill' ? 'SIGKILL' : 'SIGSTOP');
}
