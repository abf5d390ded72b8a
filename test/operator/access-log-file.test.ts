import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { Writable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import type { AccessLogFile } from '../../src/config/config.js';
import { FileSink } from '../../src/operator/access-log/file-sink.js';
import { pathOfWorker, RotatedFiles } from '../../src/operator/access-log/rotated-files.js';
import { folderWith } from '../config/folder.js';
import { logLines } from './log-lines.js';
import { until } from './statement-records.js';

function opened(t: Test, over: Partial<AccessLogFile> & { queue?: number; folder?: string } = {}) {
  const folder = over.folder ?? folderWith(t);
  const { log, lines } = logLines();
  const { queue = 1_000, ...file } = over;
  const whole = { path: path.join(folder, 'access.jsonl'), maxSize: 4_096, maxFiles: 3, compress: true, ...file };
  const sink = FileSink.open(whole, { worker: 1, queue }, log);
  const files = () => readdirSync(folder).sort();
  return { folder, sink, files, log: lines };
}

const numbers = (text: string): number[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).n);

/** What stands in a file, plain or compressed. */
const read = (file: string): string =>
  file.endsWith('.gz') ? gunzipSync(readFileSync(file)).toString() : readFileSync(file, 'utf8');

const line = (n: number): string => JSON.stringify({ n, padding: 'x'.repeat(80) });

t.test('each worker has a file of its own', async (t) => {
  t.equal(pathOfWorker('/var/log/access.jsonl', 1), '/var/log/access.1.jsonl');
  t.equal(pathOfWorker('/var/log.d/access', 12), '/var/log.d/access.12');
});

t.test('lines arrive whole, in order, in a folder that was not there', async (t) => {
  const folder = path.join(folderWith(t), 'a', 'b');
  const { sink } = opened(t, { folder, maxSize: 1_000_000 });
  for (let n = 0; n < 1_000; n++) sink.offer(line(n));
  await sink.close(5_000);
  const file = path.join(folder, 'access.1.jsonl');
  t.same(
    numbers(read(file)),
    Array.from({ length: 1_000 }, (_, n) => n),
  );
  t.equal(statSync(file).mode & 0o777, 0o640 & ~process.umask());
  t.same([sink.written, sink.dropped, sink.failures], [1_000, 0, 0]);
});

t.test('a full file is put aside and compressed, and the oldest go', async (t) => {
  const { folder, sink, files } = opened(t);
  let n = 0;
  const more = async (count: number): Promise<void> => {
    const end = sink.written + count;
    for (let i = 0; i < count; i++) sink.offer(line(n++));
    await until(() => sink.written === end, 'written');
  };
  await more(100);
  // 100 lines of 96 bytes: two files of 4 kB, and a beginning.
  await until(() => files().filter((name) => name.endsWith('.gz')).length === 2, 'compressed');
  t.match(files(), [
    /^access\.1\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z\.jsonl\.gz$/,
    /^access\.1\..*\.jsonl\.gz$/,
    'access.1.jsonl',
  ]);
  const all = files().flatMap((name) => numbers(read(path.join(folder, name))));
  t.same(
    all,
    Array.from({ length: 100 }, (_, i) => i),
    'nothing is lost or doubled, and the names are in order',
  );
  await more(300);
  await until(() => files().length === 4 && files().filter((name) => name.endsWith('.gz')).length === 3, 'three stay');
  const left = files().flatMap((name) => numbers(read(path.join(folder, name))));
  t.same(
    left,
    Array.from({ length: left.length }, (_, i) => 400 - left.length + i),
    'the newest',
  );
  await sink.close(5_000);
  t.same([sink.written, sink.dropped, sink.failures], [400, 0, 0]);
});

t.test('without compression', async (t) => {
  const { sink, files } = opened(t, { compress: false, maxFiles: 1 });
  for (let n = 0; n < 200; n++) sink.offer(line(n));
  await sink.close(5_000);
  await until(() => files().length === 2, 'one stays');
  t.match(files(), [/^access\.1\.\d{4}.*Z\.jsonl$/, 'access.1.jsonl']);
});

t.test('what an earlier process has left is gone on with and tidied up', async (t) => {
  const folder = folderWith(t, {
    'access.1.jsonl': `${line(1)}\n{"n":2,"pad`,
    'access.1.2026-01-05T09-00-00-000Z.jsonl': line(0),
    'access.1.2026-01-05T08-00-00-000Z.jsonl.gz.part': 'half',
    'access.10.2026-01-05T09-00-00-000Z.jsonl': 'of another worker',
    'access.1.notes.jsonl': 'of somebody else',
  });
  const { sink, files } = opened(t, { folder });
  sink.offer(line(3));
  await sink.close(5_000);
  await until(() => files().some((name) => name.endsWith('.gz')), 'compressed');
  await until(() => files().length === 4, 'tidied up');
  t.same(files(), [
    'access.1.2026-01-05T09-00-00-000Z.jsonl.gz',
    'access.1.jsonl',
    'access.1.notes.jsonl',
    'access.10.2026-01-05T09-00-00-000Z.jsonl',
  ]);
  t.equal(read(path.join(folder, 'access.1.jsonl')), `${line(1)}\n{"n":2,"pad\n${line(3)}\n`, 'half a line is ended');
  t.equal(read(path.join(folder, 'access.1.2026-01-05T09-00-00-000Z.jsonl.gz')), line(0));
});

t.test('two names are never the same, and sort by time, also when the clock goes back', async (t) => {
  const files = new RotatedFiles({ path: '/x/a.1.jsonl', maxFiles: 1, compress: true }, () => undefined);
  const names = [5, 5, 4, 5].map((time) => files.nextName(time));
  t.same(names, [...new Set(names)].sort());
  t.equal(names[0], '/x/a.1.1970-01-01T00-00-00-005Z.jsonl');
});

t.test('a file that cannot be written is told once a minute, and gone on with when it can', async (t) => {
  const folder = folderWith(t, { logs: 'a file where a folder should be' });
  const file = path.join(folder, 'logs', 'access.jsonl');
  const { sink, log } = opened(t, { path: file, queue: 5 });
  for (let n = 0; n < 8; n++) sink.offer(line(n));
  await until(() => sink.failures >= 2, 'tried again');
  t.equal(sink.dropped, 3, 'what found no place');
  t.equal(sink.waiting, 5);
  t.match(log, [
    { level: 40, msg: /^the access log cannot be written/, file: /logs\/access\.1\.jsonl$/, code: /ENOTDIR|EEXIST/ },
  ]);
  t.equal(log.length, 1);
  rmSync(path.join(folder, 'logs'));
  await until(() => sink.waiting === 0, 'written after all');
  t.same(numbers(read(path.join(folder, 'logs', 'access.1.jsonl'))), [0, 1, 2, 3, 4]);
  sink.offer(line(8));
  await sink.close(5_000);
  t.same([sink.written, sink.dropped], [6, 3]);
});

t.test('a file that was taken away is made anew when it is full', async (t) => {
  const { folder, sink, log } = opened(t, { compress: false });
  sink.offer(line(0));
  await until(() => sink.written === 1, 'written');
  rmSync(path.join(folder, 'access.1.jsonl'));
  for (let n = 1; n < 100; n++) sink.offer(line(n));
  await until(() => sink.written === 100, 'written');
  await sink.close(5_000);
  t.ok(existsSync(path.join(folder, 'access.1.jsonl')));
  t.equal(log.length, 1);
});

t.test('a folder that cannot be tidied is told, and keeps nobody from writing', async (t) => {
  const { folder, sink, log } = opened(t, { maxSize: 1_000_000 });
  mkdirSync(path.join(folder, 'access.1.2026-01-05T09-00-00-000Z.jsonl'));
  sink.offer(line(0));
  await until(() => log.length === 1, 'told');
  t.match(log, [{ level: 40, msg: 'old access logs cannot be tidied up', code: 'EISDIR' }]);
  await sink.close(5_000);
  t.same([sink.written, sink.failures], [1, 0]);
});

/** A sink on a stream that is under the test's thumb. */
function blocked(queue: number) {
  const { log, lines } = logLines();
  const held: { text: string; done: (error?: Error | null) => void }[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    write(chunk, _encoding, done) {
      held.push({ text: String(chunk), done });
    },
  });
  const sink = new FileSink({ path: '/x', queue, mostBytes: 1_000, open: async () => stream }, log);
  return { sink, held, lines };
}

t.test('a stream that does not drain: records wait up to the bound, the rest is dropped and counted', async (t) => {
  const { sink, held } = blocked(100);
  for (let n = 0; n < 1_000; n++) sink.offer(line(n));
  await until(() => held.length === 1, 'the first write is on its way');
  for (let n = 1_000; n < 2_000; n++) sink.offer(line(n));
  t.same([sink.waiting, sink.dropped, sink.written], [100, 1_900, 0]);
  t.ok(sink.full);
  t.ok((held[0]?.text.length ?? 0) <= 1_000, 'one write is bounded');
  held[0]?.done();
  await until(() => held.length === 2, 'the next write');
  t.ok(sink.written > 0);
  t.notOk(sink.full);
  const start = Date.now();
  await sink.close(50);
  t.ok(Date.now() - start < 5_000, 'the end does not wait for it');
  t.equal(sink.written + sink.dropped, 2_000, 'every record is accounted for');
});

t.test('a blocked stream holds no more memory than the queue', async (t) => {
  const { sink, held } = blocked(1_000);
  const gc = globalThis.gc;
  if (gc === undefined) throw new Error('run with --expose-gc');
  const heap = (): number => {
    gc();
    return process.memoryUsage().heapUsed;
  };
  for (let n = 0; n < 1_000; n++) sink.offer(line(n));
  await until(() => held.length === 1, 'blocked');
  const before = heap();
  for (let n = 0; n < 1_000_000; n++) sink.offer(line(n));
  const grown = heap() - before;
  t.equal(sink.dropped, 1_000_000);
  t.ok(grown < 1_000_000, `${grown} bytes more for a million records`);
  await sink.close(0);
});

t.test('a disk that is full: the same lines are tried again', async (t) => {
  const { log, lines } = logLines();
  const texts: string[] = [];
  let full = true;
  const open = async (): Promise<Writable> =>
    new Writable({
      write(chunk, _encoding, done) {
        if (full) return done(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }));
        texts.push(String(chunk));
        done();
      },
    });
  const sink = new FileSink({ path: '/x', queue: 10, mostBytes: 1_000, open }, log);
  sink.offer('{"n":1}');
  await until(() => sink.failures >= 2, 'tried again');
  full = false;
  await until(() => sink.written === 1, 'written');
  t.same(texts, ['{"n":1}\n']);
  t.match(lines, [{ level: 40, code: 'ENOSPC', file: '/x' }]);
  t.notOk(lines[0] !== undefined && 'stack' in lines[0]);
  await sink.close(100);
});
