import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'csv-parse';
import { discoverLogs } from '../../src/discovery/from-logs.js';
import { CsvFields } from '../../src/discovery/logs/csv-fields.js';
import { serviceByName } from '../../src/discovery/recorder.js';
import { loadParser } from '../../src/sql/parser.js';
import { generateCsvlog } from './generate.js';

/**
 * How fast `pgfig discover --from-csvlog` reads, and how fast the same file is split into fields by our own splitter and
 * by csv-parse (docs/decisions/0005). Run: node build/bench/discovery/csvlog.js [--mb 1024]
 */
const MEGABYTE = 1_000_000;
const megabytes = Number(process.argv[process.argv.indexOf('--mb') + 1] ?? 1024) || 1024;

interface Figures {
  readonly cpu: number;
  readonly clock: number;
  /** MB that the process has grown by at most, seen every 50 ms. */
  readonly grown: number;
}

async function measured(work: () => Promise<unknown>): Promise<Figures> {
  const gc = globalThis.gc;
  gc?.();
  const before = process.memoryUsage().rss;
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 50);
  const cpu = process.cpuUsage();
  const began = performance.now();
  await work();
  const clock = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(watch);
  return { cpu: (user + system) / 1e6, clock, grown: (Math.max(peak, process.memoryUsage().rss) - before) / MEGABYTE };
}

function say(what: string, size: number, { cpu, clock, grown }: Figures, more: string): void {
  const speed = (seconds: number): string => (size / MEGABYTE / seconds).toFixed(0).padStart(5);
  console.log(
    `${what.padEnd(34)} ${speed(cpu)} MB/s of CPU time ${speed(clock)} MB/s of the clock   RSS grew ${grown.toFixed(0)} MB   ${more}`,
  );
}

/** Fields by our own splitter, each of those that a log entry is made of taken out. */
async function ours(file: string): Promise<string> {
  let records = 0;
  let bytes = 0;
  const fields = new CsvFields((record) => {
    records += 1;
    for (const field of [0, 1, 2, 4, 5, 7, 9, 11, 12, 22, 23]) bytes += record.text(field).length;
    bytes += record.bytes(13).length;
  });
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) fields.push(chunk);
  fields.end();
  return `${records} records, ${bytes} characters taken`;
}

/** The same by csv-parse, with its quickest interface: events of a stream. */
async function library(file: string, options: object): Promise<string> {
  let records = 0;
  let bytes = 0;
  const parser = createReadStream(file, { highWaterMark: 256 * 1024 }).pipe(parse(options));
  parser.on('data', (record: readonly (string | Buffer)[]) => {
    records += 1;
    for (const field of [0, 1, 2, 4, 5, 7, 9, 11, 12, 22, 23]) bytes += record[field]?.length ?? 0;
    bytes += record[13]?.length ?? 0;
  });
  await new Promise((resolve, reject) => parser.once('end', resolve).once('error', reject));
  return `${records} records, ${bytes} characters taken`;
}

const folder = await mkdtemp(path.join(tmpdir(), 'pgfig-csvlog-'));
try {
  const file = path.join(folder, 'postgresql.csv');
  const records = await generateCsvlog(file, megabytes * MEGABYTE);
  const { size } = await stat(file);
  console.log(`${(size / MEGABYTE).toFixed(0)} MB, ${records} records, ${(size / records).toFixed(0)} bytes each`);
  const parser = await loadParser();
  const whole = await measured(async () => {
    const { statements, matrix } = await discoverLogs({
      files: [file],
      lines: 'statements',
      linePrefix: null,
      parser,
      cache: { entries: 10_000, bytes: 64 * 1024 * 1024 },
      catalog: null,
      database: 'monolith',
      dbname: 'shop',
      serviceOf: serviceByName,
    });
    console.log(`${statements} statements, ${matrix.cells.length} cells, ${matrix.pairs.length} pairs`);
  });
  say('discover, all of it', size, whole, '');
  let told = '';
  const note = async (work: Promise<string>): Promise<void> => {
    told = await work;
  };
  say('fields, ours', size, await measured(() => note(ours(file))), told);
  say('fields, csv-parse', size, await measured(() => note(library(file, {}))), told);
  const buffers = { encoding: null };
  say('fields, csv-parse, as buffers', size, await measured(() => note(library(file, buffers))), told);
} finally {
  await rm(folder, { recursive: true, force: true });
}
