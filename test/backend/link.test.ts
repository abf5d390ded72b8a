import t from 'tap';
import { Link, type LinkOwner } from '../../src/backend/link.js';
import { Expect, type Hidden } from '../../src/backend/reply-queue.js';
import type { Channel } from '../../src/net/channel.js';
import {
  commandComplete,
  errorResponse,
  noticeResponse,
  parameterStatus,
  readyForQuery,
} from '../../src/wire/backend-messages.js';
import type { ErrorFields } from '../../src/wire/decode.js';
import { B } from '../../src/wire/types.js';

/** What a link writes to, and no more of a channel than it uses. */
class FakeChannel {
  written: Buffer[] = [];
  ended = false;
  paused = false;
  congested = false;
  setOwner(): void {}
  writeOwned(bytes: Uint8Array): void {
    this.written.push(Buffer.from(bytes));
  }
  writeBorrowed(chunk: Buffer, start: number, end: number): void {
    this.written.push(Buffer.from(chunk.subarray(start, end)));
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  end(): void {
    this.ended = true;
  }
}

class Owner implements LinkOwner {
  shown: Buffer[] = [];
  events: string[] = [];
  keepsReady = false;
  /** The status that the client is to see, where it is another. */
  tells: number | null = null;
  toClient(_link: Link, chunk: Buffer, start: number, end: number): void {
    if (start >= end) this.events.push('an empty run');
    this.shown.push(Buffer.from(chunk.subarray(start, end)));
  }
  onError(_link: Link, fields: ErrorFields): void {
    this.events.push(`error ${fields.code}`);
  }
  onFailed(_link: Link, fields: ErrorFields): void {
    this.events.push(`failed ${fields.code}`);
  }
  onSuspended(): void {
    this.events.push('suspended');
  }
  onReady(_link: Link, status: number, shown: boolean): number {
    this.events.push(`ready ${String.fromCharCode(status)} ${shown ? 'shown' : 'hidden'}`);
    return shown && !this.keepsReady ? (this.tells ?? status) : 0;
  }
  onCommand(_link: Link, chunk: Buffer, start: number, end: number): void {
    this.events.push(`command ${chunk.toString('latin1', start, end - 1)}`);
  }
  onCopyIn(): void {
    this.events.push('copy in');
  }
  onParameterStatus(_link: Link, name: string, value: string): void {
    this.events.push(`${name}=${value}`);
  }
  onAsync(_link: Link, type: number, chunk: Buffer, start: number, end: number, hidden: boolean): void {
    const whole = chunk.readUInt32BE(start + 1) === end - start - 1;
    this.events.push(`${String.fromCharCode(type)} ${whole ? 'whole' : 'broken'} ${hidden ? 'hidden' : 'shown'}`);
  }
  onDescription(_link: Link, type: number): void {
    this.events.push(`description ${String.fromCharCode(type)}`);
  }
  onProgress(): void {}
  onLost(link: Link, fatal: ErrorFields | null, error: Error | null): void {
    this.events.push(`lost ${fatal?.code ?? '-'} ${error?.message ?? '-'} owed ${link.queue.owedReady}`);
  }
  onDrain(): void {
    this.events.push('drain');
  }
  get text(): string {
    return Buffer.concat(this.shown).toString('latin1');
  }
}

function message(type: number, body: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(body);
  const header = Buffer.alloc(5);
  header[0] = type;
  header.writeUInt32BE(bytes.length + 4, 1);
  return Buffer.concat([header, bytes]);
}

function make(): { link: Link; owner: Owner; channel: FakeChannel } {
  const owner = new Owner();
  const channel = new FakeChannel();
  const identity = { pid: 1, secret: Buffer.alloc(4) };
  const link = new Link('orders_db', channel as unknown as Channel, identity, new Map(), owner);
  return { link, owner, channel };
}

const ROW = message(B.DataRow, Buffer.concat([Buffer.from([0, 1, 0, 0, 1, 0]), Buffer.alloc(256, 'x')]));
const NOTICE = noticeResponse({ severity: 'NOTICE', code: '00000', message: 'hello' });
const NOTIFICATION = message(B.NotificationResponse, Buffer.from([0, 0, 0, 1, 0x63, 0, 0x70, 0]));
const STATUS = parameterStatus('TimeZone', 'UTC');
const PARSED = message(B.ParseComplete);
const BOUND = message(B.BindComplete);
const CLOSED = message(B.CloseComplete);
const DESCRIBED = message(B.RowDescription, Buffer.from([0, 0]));
const ERROR = errorResponse({ severity: 'ERROR', code: '42P01', message: 'no such table' });

/** A hidden statement with rows, a client's query behind it, and asynchronous messages wherever they may come. */
const STREAM: readonly (readonly [Buffer, 'client' | 'hidden' | 'aside'])[] = [
  [PARSED, 'hidden'],
  [NOTICE, 'aside'],
  [BOUND, 'hidden'],
  [ROW, 'hidden'],
  [STATUS, 'aside'],
  [ROW, 'hidden'],
  [commandComplete('SELECT 2'), 'hidden'],
  [CLOSED, 'hidden'],
  [readyForQuery('T'), 'hidden'],
  [DESCRIBED, 'client'],
  [ROW, 'client'],
  [NOTIFICATION, 'aside'],
  [ROW, 'client'],
  [ROW, 'client'],
  [commandComplete('SELECT 3'), 'client'],
  [readyForQuery('T'), 'client'],
  [NOTIFICATION, 'aside'],
  [PARSED, 'client'],
  [ERROR, 'client'],
  [readyForQuery('E'), 'client'],
];
const WHOLE = Buffer.concat(STREAM.map(([bytes]) => bytes));
const SHOWN = Buffer.concat(STREAM.filter(([, whose]) => whose === 'client').map(([bytes]) => bytes)).toString(
  'latin1',
);

function feed(chunks: readonly Buffer[]): { text: string; events: string; hidden: string } {
  const { link, owner } = make();
  const seen: string[] = [];
  const hidden: Hidden = {
    onMessage: (type, _chunk, start, end) => seen.push(`${String.fromCharCode(type)}:${end - start}`),
    onDone: (ok) => seen.push(`done ${ok}`),
  };
  for (const kind of [Expect.Parse, Expect.Bind, Expect.Execute, Expect.Close, Expect.Sync])
    link.queue.push(kind, hidden);
  link.queue.push(Expect.Query);
  for (const kind of [Expect.Parse, Expect.Bind, Expect.Execute, Expect.Sync]) link.queue.push(kind);
  for (const chunk of chunks) {
    // As a socket's shared buffer is: overwritten as soon as the call returns.
    const borrowed = Buffer.from(chunk);
    link.onData(borrowed, false);
    borrowed.fill(0xff);
  }
  if (!link.idle) owner.events.push('still owes something');
  return { text: owner.text, events: owner.events.join('; '), hidden: seen.join(' ') };
}

const REFERENCE = feed([WHOLE]);

t.test('in one chunk: the client gets its own messages, and nothing of what was hidden', async (t) => {
  t.equal(REFERENCE.text, SHOWN);
  t.equal(
    REFERENCE.hidden,
    '1:0 done true 2:0 done true D:262 D:262 C:9 done true 3:0 done true Z:1 done true',
    'type and length of each body',
  );
  t.equal(
    REFERENCE.events,
    [
      'N whole hidden',
      'TimeZone=UTC',
      'ready T hidden',
      'description T',
      'A whole shown',
      'command SELECT 3',
      'ready T shown',
      'A whole shown',
      'error 42P01',
      'ready E shown',
    ].join('; '),
  );
});

t.test('split at every byte', async (t) => {
  for (let at = 0; at <= WHOLE.length; at++) {
    const split = feed([WHOLE.subarray(0, at), WHOLE.subarray(at)]);
    if (JSON.stringify(split) !== JSON.stringify(REFERENCE)) t.strictSame(split, REFERENCE, `split at ${at}`);
  }
});

t.test('byte by byte, and in chunks of every small size', async (t) => {
  for (let size = 1; size <= 40; size++) {
    const chunks: Buffer[] = [];
    for (let at = 0; at < WHOLE.length; at += size) chunks.push(WHOLE.subarray(at, at + size));
    t.strictSame(feed(chunks), REFERENCE, `chunks of ${size}`);
  }
});

t.test('rows pass in parts: a big one is not kept until it is whole', async (t) => {
  const { link, owner } = make();
  link.queue.push(Expect.Query);
  const big = message(B.DataRow, Buffer.alloc(1_000_000, 'x'));
  let passed = 0;
  for (let at = 0; at < big.length; at += 65_536) {
    link.onData(big.subarray(at, at + 65_536), false);
    const now = owner.shown.reduce((sum, part) => sum + part.length, 0);
    t.equal(now - passed, Math.min(65_536, big.length - at));
    passed = now;
  }
  link.onData(readyForQuery('I'), false);
  t.ok(owner.shown.at(-1)?.equals(readyForQuery('I')));
  t.ok(link.idle);
});

t.test('ReadyForQuery that the owner keeps does not pass, what stands around it does', async (t) => {
  const { link, owner } = make();
  owner.keepsReady = true;
  link.queue.push(Expect.Query);
  link.queue.push(Expect.Query);
  const tag = commandComplete('SELECT 0');
  link.onData(Buffer.concat([tag, readyForQuery('I'), tag, readyForQuery('I')]), false);
  t.equal(owner.text, Buffer.concat([tag, tag]).toString('latin1'));
  t.ok(link.idle);
});

t.test('the owner may tell the client of another status', async (t) => {
  const { link, owner } = make();
  owner.tells = 0x45;
  link.queue.push(Expect.Query);
  link.onData(readyForQuery('T'), false);
  t.equal(owner.text, readyForQuery('E').toString('latin1'));
  t.equal(link.status, 0x54, 'what the backend said is kept');
});

t.test('an error of a hidden request: the client sees neither it nor what is skipped', async (t) => {
  const { link, owner } = make();
  const seen: string[] = [];
  const hidden: Hidden = { onDone: (ok) => seen.push(String(ok)) };
  link.queue.push(Expect.Parse, hidden);
  link.queue.push(Expect.Query);
  link.onData(ERROR, false);
  t.equal(owner.text, '');
  t.strictSame(seen, ['false']);
  t.ok(link.queue.needsSync);
  t.ok(link.queue.failedHidden);
});

t.test('parameter changes are noted, told once, and never pass by themselves', async (t) => {
  const { link, owner } = make();
  link.onData(STATUS, false);
  t.equal(link.parameters.get('TimeZone'), 'UTC');
  t.equal(owner.text, '');
  t.strictSame(owner.events, ['TimeZone=UTC']);
});

t.test('the last words of a backend are told when the connection has ended', async (t) => {
  const fatal = errorResponse({ severity: 'FATAL', code: '57P01', message: 'terminating connection' });
  for (const requests of [0, 1]) {
    const { link, owner } = make();
    for (let i = 0; i < requests; i++) link.queue.push(Expect.Query);
    link.onData(fatal, false);
    link.onClosed(null);
    t.equal(owner.text, '', 'they do not pass by themselves');
    t.strictSame(owner.events, [`lost 57P01 - owed ${requests}`]);
    t.ok(link.lost);
    t.ok(link.idle, 'nothing is owed any more');
  }
  const { link, owner } = make();
  link.onClosed(new Error('read ECONNRESET'));
  link.onClosed(null);
  t.strictSame(owner.events, ['lost - read ECONNRESET owed 0'], 'once');
});

t.test('what is held leaves in one write with what is sent next, in order', async (t) => {
  const { link, channel } = make();
  link.hold(Buffer.from('one '));
  link.hold(Buffer.from('two '));
  t.equal(channel.written.length, 0);
  link.sendBorrowed(Buffer.from('..three..'), 2, 7);
  link.sendBorrowed(Buffer.from('..four..'), 2, 6);
  t.strictSame(channel.written.map(String), ['one two three', 'four']);
  link.hold(Buffer.from('five '));
  link.send(Buffer.from('six'));
  t.strictSame(channel.written.map(String).at(-1), 'five six');
  t.equal(link.bytesOut, 13 + 4 + 8);
});

t.test('closed by its owner: nothing more is told', async (t) => {
  const { link, owner, channel } = make();
  const seen: boolean[] = [];
  link.queue.push(Expect.Query, null, { onDone: (ok) => seen.push(ok) });
  link.close(Buffer.from('X'));
  link.close(Buffer.from('X'));
  t.strictSame(channel.written.map(String), ['X']);
  t.ok(channel.ended);
  t.strictSame(seen, [false]);
  link.onData(NOTICE, false);
  link.onClosed(null);
  t.strictSame(owner.events, []);
});

t.test('raw: nothing is read', async (t) => {
  const { link, owner } = make();
  link.raw = true;
  link.onData(Buffer.from([1, 2, 3]), false);
  t.equal(owner.text, '\x01\x02\x03');
  t.equal(link.bytesIn, 3);
});
