import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Tally } from '../../src/matrix/tally.js';
import { TallyBook } from '../../src/matrix/tally-book.js';
import { matrixToText } from '../../src/matrix/wire-text.js';
import { MatrixKeeper } from '../../src/operator/matrix/matrix-keeper.js';

/**
 * What a matrix of 5,000 tables x 60 services takes when every service has used every table since the last flush: in a
 * worker that has counted all of it, and in the control process that holds it for a database that is down. Each part is
 * measured in a process of its own, as the resident memory more than before; the worker hands on in slices, as it does
 * in earnest. `node build/bench/discovery/matrix-memory.js`
 */
const TABLES = 5_000;
const SERVICES = 60;
const SLICE = 200;
const MIB = 1024 * 1024;

type FromChild = { readonly done: string } | { readonly text: string };

function counted(): TallyBook {
  const book = new TallyBook();
  for (let table = 0; table < TABLES; table++) {
    const name = `public.table_${table}`;
    const footprint = { entries: [{ table: name, access: 'read', named: true } as const], joined: [name], written: [] };
    const example = `SELECT id, name, created_at FROM table_${table} WHERE id = ? AND tenant_id = ?`;
    for (let service = 0; service < SERVICES; service++) {
      const tally = new Tally({ service: `service-${service}`, footprint, database: 'monolith', example });
      book.done(tally, 3, 0.0015);
    }
  }
  return book;
}

const settled = (): number => {
  global.gc?.();
  return process.memoryUsage().rss;
};
const mib = (bytes: number): string => `${(bytes / MIB).toFixed(0)} MiB`;

function asWorker(): void {
  const before = settled();
  const book = counted();
  let peak = process.memoryUsage().rss;
  const began = performance.now();
  let longest = 0;
  while (book.unharvested > 0) {
    const start = performance.now();
    process.send?.({ text: matrixToText(book.harvest(Date.now(), SLICE)) });
    longest = Math.max(longest, performance.now() - start);
    peak = Math.max(peak, process.memoryUsage().rss);
  }
  const took = performance.now() - began;
  const done = `worker: ${mib(settled() - before)} more with all counted, ${mib(peak - before)} at the most; a slice took ${(
    (took / (TABLES * SERVICES)) * SLICE
  ).toFixed(2)} ms, the longest ${longest.toFixed(1)} ms`;
  process.send?.({ done }, () => process.exit(0));
}

function asControl(): void {
  const before = settled();
  let peak = before;
  const store = { add: () => Promise.reject(new Error('down')), close: () => Promise.resolve() };
  const keeper = new MatrixKeeper({ store, interval: 3_600_000, onError: () => {}, onRecovered: () => {} });
  process.on('message', (message: { readonly text: string | null }) => {
    if (message.text !== null) {
      keeper.add(message.text);
      peak = Math.max(peak, process.memoryUsage().rss);
      return;
    }
    const cells = keeper.pending;
    const done = `control: ${mib(settled() - before)} more with ${cells} cells waiting, ${mib(peak - before)} at the most`;
    process.send?.({ done }, () => process.exit(0));
  });
}

function start(part: string, hear: (message: FromChild) => void) {
  const child = fork(fileURLToPath(import.meta.url), [part], { execArgv: ['--expose-gc'] });
  child.on('message', (message: FromChild) => {
    if ('done' in message) console.log(message.done);
    hear(message);
  });
  return child;
}

if (process.argv[2] === 'worker') asWorker();
else if (process.argv[2] === 'control') asControl();
else {
  console.log(`${TABLES} tables x ${SERVICES} services = ${TABLES * SERVICES} cells`);
  const control = start('control', () => {});
  start('worker', (message) => control.send({ text: 'text' in message ? message.text : null }));
}
