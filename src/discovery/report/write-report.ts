import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Discovery } from '../discovery.js';
import type { Proposal } from '../proposal.js';
import { pageOf } from './page.js';

/** Writes discovery.html into the folder, which is made if it is missing, and returns its path. */
export async function writeReport(folder: string, discovery: Discovery, proposal: Proposal): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'discovery.html');
  await writeFile(path, pageOf(discovery, proposal), 'utf8');
  return path;
}
