/**
 * What the report costs for 5,000 tables of 60 services: `node build/bench/discovery/report.js`. Once as such a matrix
 * is (six services use a table), once in the worst case (each service uses each table). Each in a process of its own,
 * so that one's memory is not counted for the other.
 */
import { fork } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeReport } from '../../src/discovery/report/write-report.js';
import { wideDiscovery, wideProposal } from '../../test/discovery/wide-discovery.js';

const TABLES = 5_000;
const SERVICES = 60;
const SHAPES = [6, 60];

async function measure(usersOfEach: number): Promise<void> {
  const discovery = wideDiscovery(TABLES, SERVICES, usersOfEach);
  const proposal = wideProposal(TABLES);
  const folder = await mkdtemp(join(tmpdir(), 'pgfig-report-'));
  const before = process.memoryUsage().rss;
  const start = process.hrtime.bigint();
  const path = await writeReport(folder, discovery, proposal);
  const milliseconds = Number(process.hrtime.bigint() - start) / 1e6;
  const { size } = await stat(path);
  await rm(folder, { recursive: true });
  // Linux gives it in KiB.
  const most = process.resourceUsage().maxRSS * 1024;
  console.log(
    `${TABLES} tables, ${SERVICES} services, ${usersOfEach} of them on each table: ` +
      `${Math.round(milliseconds)} ms, ${megabytes(size)} written, ` +
      `RSS ${megabytes(before)} with the matrix, at most ${megabytes(most)}`,
  );
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const [usersOfEach] = process.argv.slice(2).map(Number);
if (usersOfEach !== undefined) await measure(usersOfEach);
else {
  for (const shape of SHAPES) {
    const child = fork(fileURLToPath(import.meta.url), [String(shape)]);
    const status = await new Promise<number | null>((resolve) => child.once('exit', resolve));
    if (status !== 0) process.exitCode = 1;
  }
}
