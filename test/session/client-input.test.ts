import fc from 'fast-check';
import t from 'tap';
import { PgfigError } from '../../src/errors/pgfig-error.js';
import { ClientInput, type InputHandler } from '../../src/session/client/client-input.js';
import { F } from '../../src/wire/types.js';

function message(type: number, body: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(body);
  const header = Buffer.alloc(5);
  header[0] = type;
  header.writeUInt32BE(bytes.length + 4, 1);
  return Buffer.concat([header, bytes]);
}

/** Notes what it is given; copy data are put together, as their parts depend on the chunks. */
class Handler implements InputHandler {
  readonly seen: string[] = [];
  input: ClientInput | null = null;
  /** Blocks the input at every n-th message; 0: never. */
  blockEvery = 0;
  #messages = 0;
  #open = 0;
  #copy = '';

  beginChunk(): void {
    if (++this.#open !== 1) this.seen.push('chunks within chunks');
  }
  endChunk(): void {
    this.#open--;
  }
  message(type: number, chunk: Buffer, at: number, end: number): void {
    if (this.input?.blocked) this.seen.push('a message while blocked');
    this.#flush();
    if (chunk[at] !== type) this.seen.push('not its type');
    this.seen.push(chunk.toString('latin1', at, end));
    this.#messages++;
    if (this.blockEvery > 0 && this.#messages % this.blockEvery === 0) this.input?.block();
  }
  copyPart(chunk: Buffer, at: number, end: number, first: boolean): void {
    if (first) this.#flush();
    this.#copy += chunk.toString('latin1', at, end);
  }
  #flush(): void {
    if (this.#copy !== '') this.seen.push(this.#copy);
    this.#copy = '';
  }
  get result(): string[] {
    this.#flush();
    return this.seen;
  }
}

const MESSAGES = [
  message(F.Query, 'SELECT 1\0'),
  message(F.Parse, 'name\0SELECT $1\0\0\0'),
  message(F.Sync),
  message(F.CopyData, 'one'),
  message(F.CopyData, ''),
  message(F.CopyData, Buffer.alloc(100, 'x')),
  message(F.CopyDone),
  message(F.Query, `${'y'.repeat(50)}\0`),
  message(F.Flush),
  message(F.Terminate),
];
const STREAM = Buffer.concat(MESSAGES);
const EXPECTED = MESSAGES.map((bytes) => bytes.toString('latin1'));

function feed(chunks: readonly Buffer[], blockEvery = 0): string[] {
  const handler = new Handler();
  const input = new ClientInput(handler);
  handler.input = input;
  handler.blockEvery = blockEvery;
  for (const chunk of chunks) {
    // As a socket's shared buffer is: overwritten as soon as the call returns.
    const borrowed = Buffer.from(chunk);
    input.push(borrowed, false);
    borrowed.fill(0xff);
    if (input.blocked && chunk.length % 2 === 0) input.unblock();
  }
  for (let i = 0; input.blocked && i < 100; i++) input.unblock();
  return handler.result;
}

t.test('in one chunk', async (t) => t.strictSame(feed([STREAM]), EXPECTED));

t.test('split at every byte, blocked or not', async (t) => {
  for (let at = 0; at <= STREAM.length; at++) {
    for (const blockEvery of [0, 1, 2, 3]) {
      const seen = feed([STREAM.subarray(0, at), STREAM.subarray(at)], blockEvery);
      if (seen.join() !== EXPECTED.join()) t.strictSame(seen, EXPECTED, `split at ${at}, blocks ${blockEvery}`);
    }
  }
});

t.test('byte by byte', async (t) => {
  for (const blockEvery of [0, 1, 3]) {
    t.strictSame(
      feed(
        Array.from(STREAM, (byte) => Buffer.from([byte])),
        blockEvery,
      ),
      EXPECTED,
    );
  }
});

t.test('in random chunks, blocked at random', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 20 }), fc.nat(4), (sizes, blockEvery) => {
      const chunks: Buffer[] = [];
      let at = 0;
      for (const size of sizes) {
        chunks.push(STREAM.subarray(at, at + size));
        at += size;
      }
      if (feed([...chunks, STREAM.subarray(at)], blockEvery).join() !== EXPECTED.join()) throw new Error('differs');
    }),
    { numRuns: 1000 },
  );
});

t.test('blocked: what comes waits, in order', async (t) => {
  const handler = new Handler();
  const input = new ClientInput(handler);
  handler.input = input;
  input.block();
  for (const byte of STREAM.subarray(0, 40)) input.push(Buffer.from([byte]), false);
  t.strictSame(handler.seen, []);
  input.unblock();
  input.push(STREAM.subarray(40), false);
  t.strictSame(handler.result, EXPECTED);
});

t.test('copy data pass in parts, other messages whole', async (t) => {
  const parts: [number, boolean][] = [];
  let whole = 0;
  const input = new ClientInput({
    beginChunk: () => undefined,
    endChunk: () => undefined,
    message: () => whole++,
    copyPart: (_chunk, at, end, first) => parts.push([end - at, first]),
  });
  const data = message(F.CopyData, Buffer.alloc(200_000));
  input.push(data.subarray(0, 65_536), false);
  input.push(data.subarray(65_536, 131_072), false);
  input.push(Buffer.concat([data.subarray(131_072), message(F.CopyDone).subarray(0, 3)]), false);
  t.strictSame(parts, [
    [65_536, true],
    [65_536, false],
    [68_933, false],
  ]);
  t.equal(whole, 0);
  input.push(message(F.CopyDone).subarray(3), false);
  t.equal(whole, 1);
});

t.test('a message pushed while one is dealt with waits its turn', async (t) => {
  const seen: string[] = [];
  const input: ClientInput = new ClientInput({
    beginChunk: () => seen.push('('),
    endChunk: () => seen.push(')'),
    message: (type) => {
      seen.push(String.fromCharCode(type));
      if (type === F.Query) input.push(message(F.Sync), true);
    },
    copyPart: () => undefined,
  });
  input.push(Buffer.concat([message(F.Query, '\0'), message(F.Flush)]), true);
  t.equal(seen.join(''), '(QH)(S)');
});

t.test('what no frontend sends is a violation, and says so before the body is awaited', async (t) => {
  const make = (): ClientInput =>
    new ClientInput({
      beginChunk: () => undefined,
      endChunk: () => undefined,
      message: () => undefined,
      copyPart: () => undefined,
    });
  const violations: [string, number[]][] = [
    ['unknown type', [0x7a, 0, 0, 0, 4]],
    ['a password after login', [F.Password, 0, 0, 0, 4]],
    ['too short', [F.Query, 0, 0, 0, 3]],
    ['negative', [F.Query, 0xff, 0xff, 0xff, 0xff]],
    ['over 1 GB', [F.Query, 0x40, 0, 0, 0]],
    ['over what a Sync may have', [F.Sync, 0, 0, 0x40, 0]],
  ];
  for (const [name, bytes] of violations) {
    const input = make();
    t.match(
      raisedBy(() => input.push(Buffer.from(bytes), false)),
      { sqlstate: '08P01' },
      name,
    );
    const waits = make();
    waits.block();
    waits.push(Buffer.from(bytes), false);
    t.match(
      raisedBy(() => waits.unblock()),
      { sqlstate: '08P01' },
      `${name}, when it had to wait`,
    );
  }
});

t.test('random bytes: whole messages or a violation, never anything else', async () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), (chunks) => {
      const input = new ClientInput({
        beginChunk: () => undefined,
        endChunk: () => undefined,
        message: (_type, chunk, at, end) => {
          if (end > chunk.length || at + 5 > end) throw new Error('not whole');
        },
        copyPart: (chunk, at, end) => {
          if (end > chunk.length || at > end) throw new Error('not within');
        },
      });
      try {
        for (const chunk of chunks) input.push(Buffer.from(chunk), false);
      } catch (error) {
        if (!(error instanceof PgfigError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});

function raisedBy(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return null;
}
