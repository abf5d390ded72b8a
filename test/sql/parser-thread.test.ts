import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { ParserThread, type ThreadJob } from '../../src/sql/parser-thread.js';
import { Reading, StatementCache } from '../../src/sql/statement-cache.js';
import { nameOf, parser } from './helpers.js';

const threads: ParserThread[] = [];
// The threads do not keep the process alive.
const alive = setInterval(() => undefined, 1000);
t.teardown(() => {
  clearInterval(alive);
  for (const thread of threads) thread.close();
});

function newThread(options: ConstructorParameters<typeof ParserThread>[0] = {}): ParserThread {
  const thread = new ParserThread(options);
  threads.push(thread);
  return thread;
}

const read = (thread: ParserThread, sql: string, conforming = true): ThreadJob =>
  thread.read(new Uint8Array(Buffer.from(sql)), conforming);

/** A thread has a larger stack than the main program. */
const TOO_DEEP = `SELECT ${'1+'.repeat(60_000)}1`;
/** Half a megabyte that no two terms of are alike. */
const LONG = `SELECT * FROM t WHERE a IN (${Array.from({ length: 40_000 }, (_, i) => `x${i}+${i}`).join(', ')})`;

t.test('a thread gives what the parser gives, one text after the other', async (t) => {
  const thread = newThread();
  t.equal(thread.running, false, 'started when it is needed');
  const texts = ['SELECT 1 FROM a', '', 'selec', "SET a = 'b'", 'SELECT 1; SELECT 2 FROM b', TOO_DEEP];
  const jobs = texts.map((sql) => read(thread, sql));
  for (const [at, job] of jobs.entries()) {
    const { parsed } = await job.answer;
    const here = parser.parse(texts[at] ?? '');
    t.same(parsed.statements, here.statements);
    t.same(parsed.syntaxError, here.syntaxError);
    if (at !== 0) t.same(parsed.spans, here.spans);
  }
  const off = await read(thread, "SELECT 'a\\'b', 1 FROM t; SELECT '\\\\' FROM u", false).answer;
  t.same(
    off.parsed.statements.map(({ reads }) => reads.map(nameOf)),
    [['t'], ['u']],
  );
  t.same(off.parsed.spans, [
    [0, 23],
    [25, 43],
  ]);
});

t.test('statements too deep for the stack spoil nothing in the thread', async (t) => {
  const thread = newThread();
  const jobs = Array.from({ length: 15 }, (_, i) => [read(thread, TOO_DEEP), read(thread, `SELECT 1 FROM t${i}`)]);
  for (const [at, [deep, good]] of jobs.entries()) {
    t.equal((await deep?.answer)?.parsed.statements[0]?.kind, 'unparsable');
    t.same((await good?.answer)?.parsed.statements[0]?.reads, [{ name: `t${at}` }]);
  }
});

t.test('a thread that dies takes one text with it, and is started again', async (t) => {
  const code = `import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ text }) => {
      if (text.length === 5) throw new Error('died');
      if (text.length > 6) return;
      parentPort.postMessage({ known: { key: null, folded: false, parsedBytes: 0 }, parsed: { statements: [], spans: [], syntaxError: null } });
    });`;
  const program = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  const thread = newThread({ program, longest: 8_000 });
  const jobs = ['1', 'dying', '2', 'dying', '3', 'too long', '4'].map((sql) => read(thread, sql).answer);
  const errors = (await Promise.all(jobs)).map(({ parsed }) => parsed.syntaxError);
  const lost = 'the text could not be read';
  t.same(errors, [null, lost, null, lost, null, lost, null]);
  const [, dead] = await Promise.all(jobs);
  t.equal(dead?.parsed.transient, true, 'not to be kept');
  t.match(dead?.parsed.statements, [{ kind: 'unparsable', writesData: true }]);
});

t.test('a thread that cannot be started answers all the same', async (t) => {
  const thread = newThread({ program: pathToFileURL('/nowhere/at/all.js') });
  for (let i = 0; i < 3; i += 1) t.equal((await read(thread, 'SELECT 1').answer).parsed.transient, true);
});

t.test('an idle thread ends; closing answers what waits; what is given up is not read', async (t) => {
  const thread = newThread({ idle: 50 });
  await read(thread, 'SELECT 1').answer;
  t.equal(thread.running, true);
  while (thread.running) await setTimeout(5);
  t.same((await read(thread, 'SELECT 1 FROM a').answer).parsed.statements[0]?.reads, [{ name: 'a' }], 'started again');
  const first = read(thread, LONG);
  const second = read(thread, 'SELECT 2');
  second.abandon();
  let answered = false;
  void second.answer.then(() => {
    answered = true;
  });
  const third = read(thread, 'SELECT 3');
  thread.close();
  t.equal((await first.answer).parsed.transient, true);
  t.equal((await third.answer).parsed.transient, true);
  await setImmediate();
  t.equal(answered, false);
  t.equal(thread.running, false);
  const long = read(thread, LONG);
  await setTimeout(1);
  long.abandon();
  t.equal((await long.answer).parsed.transient, true, 'one that is being read is broken off');
});

t.test('a process ends although its thread reads, or waits', async (t) => {
  const module = new URL('../../src/sql/parser-thread.js', import.meta.url).href;
  const code = `const { ParserThread } = await import(${JSON.stringify(module)});
    const thread = new ParserThread();
    const job = thread.read(new Uint8Array(Buffer.from('SELECT 1')), true);
    const timer = setInterval(() => undefined, 1000);
    await job.answer;
    thread.read(new Uint8Array(Buffer.from('SELECT ' + 'a + '.repeat(500_000) + 'b')), true);
    clearInterval(timer);
    console.log('done');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString();
  });
  const [exit] = await once(child, 'close');
  t.equal(exit, 0);
  t.equal(said, 'done\n');
});

function cacheWith(thread: ParserThread): StatementCache<string> {
  return new StatementCache<string>(parser, { entries: 100, bytes: 1024 * 1024 }, thread);
}

t.test('the cache reads long texts there, and keeps those whose key is short enough', async (t) => {
  const cache = cacheWith(newThread());
  const get = (sql: string) => cache.get(Buffer.from(sql), 0, Buffer.byteLength(sql), true);
  const middling = `SELECT ${'a, '.repeat(5_000)} b FROM t`;
  const reading = get(middling);
  if (!(reading instanceof Reading)) throw new Error('15 KB are read there');
  const entry = await reading.done;
  t.same(entry.parsed.statements[0]?.reads, [{ name: 't' }]);
  t.equal(get(middling), entry, 'kept');
  const bulk = `INSERT INTO t VALUES ${"(1, 'abc'), ".repeat(200_000)}(1, '')`;
  const there = get(bulk);
  if (!(there instanceof Reading)) throw new Error('two megabytes are not even scanned here');
  t.equal((await there.done).folded, true);
  t.equal(get("INSERT INTO t VALUES (2, 'x')"), await there.done, 'one entry with every other bulk of its shape');
  const long = get(LONG);
  if (!(long instanceof Reading)) throw new Error('it is read here');
  t.same((await long.done).parsed.statements[0]?.reads, [{ name: 't' }]);
  t.same(cache.stats, { hits: 2, misses: 3, uncached: 1, unparsable: 0, threaded: 3, evictions: 0 });
  t.equal(cache.size, 2);
});

t.test('what a parser that is being replaced cannot read is read there', async (t) => {
  const busy = { parse: () => ({ ...parser.parse('selec'), transient: true }) };
  const cache = new StatementCache(busy, { entries: 100, bytes: 1024 * 1024 }, newThread());
  const found = cache.get(Buffer.from('SELECT 1 FROM a'), 0, 15, true);
  if (!(found instanceof Reading)) throw new Error('it is read here');
  t.same((await found.done).parsed.statements[0]?.reads, [{ name: 'a' }]);
});

t.test('the event loop goes on meanwhile', async (t) => {
  const cache = cacheWith(newThread());
  const bytes = Buffer.from(LONG);
  const started = cache.get(bytes, 0, bytes.length, true);
  if (!(started instanceof Reading)) throw new Error('it is read here');
  await started.done;
  const began = process.hrtime.bigint();
  parser.parse(LONG);
  const here = Number(process.hrtime.bigint() - began);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const reading = cache.get(bytes, 0, bytes.length, true);
  if (!(reading instanceof Reading)) throw new Error('it is read here');
  await reading.done;
  delay.disable();
  t.comment(`${Math.round(here / 1e6)} ms here; there, the loop waited ${Math.round(delay.max / 1e6)} ms at most`);
  t.ok(delay.max < here / 4, `${delay.max} of ${here} ns`);
});
