import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BASELINE, changes, readBaseline } from './baseline.js';
import { goalLines } from './goals.js';
import { markdown } from './markdown.js';
import type { Results } from './results.js';
import { svg } from './svg.js';

/** Writes latest.json, latest.md and latest.svg into `folder`, and baseline.json when asked to. */
export async function writeResults(results: Results, folder: string, saveBaseline: boolean): Promise<void> {
  await mkdir(folder, { recursive: true });
  const json = `${JSON.stringify(results, null, 1)}\n`;
  await writeFile(path.join(folder, 'latest.json'), json);
  await writeFile(path.join(folder, 'latest.md'), markdown(results));
  await writeFile(path.join(folder, 'latest.svg'), svg(results));
  if (saveBaseline) await writeFile(path.join(folder, BASELINE), json);
}

/** What a run says at its end: the tables, the goals, and what has changed since the baseline. */
export async function conclusion(results: Results, folder: string): Promise<string> {
  const goals = goalLines(results);
  const baseline = await readBaseline(folder);
  const changed = baseline === null ? [] : changes(results, baseline);
  return [
    markdown(results),
    ...(goals.length > 0 ? ['Goals', ...goals, ''] : []),
    ...(baseline === null
      ? ['No baseline yet: --save-baseline keeps this run as one.']
      : [`Against the baseline of ${baseline.takenAt}`, ...changed]),
    '',
  ].join('\n');
}
