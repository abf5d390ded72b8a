import fc from 'fast-check';
import t from 'tap';
import {
  AUTH_MESSAGE_LIMIT,
  checkAuthHeader,
  checkFrontendHeader,
  FrameReader,
  isCopyInMessage,
  LARGE_MESSAGE_LIMIT,
  messageLength,
  SMALL_MESSAGE_LIMIT,
} from '../../src/wire/framer.js';
import { B, F } from '../../src/wire/types.js';
import { SAMPLES } from './messages.js';

const STREAM = Buffer.concat(SAMPLES.map(({ message }) => message));

/** The messages of the stream, given in chunks, put together again; and what decoders make of them. */
function readIn(chunks: Buffer[]): { bytes: Buffer; values: unknown[] } {
  const reader = new FrameReader();
  const parts: Buffer[] = [];
  const values: unknown[] = [];
  for (const chunk of chunks) {
    for (const { type, body } of reader.push(chunk)) {
      const header = Buffer.alloc(5);
      header[0] = type;
      header.writeInt32BE(body.length + 4, 1);
      parts.push(header, Buffer.from(body));
      values.push(SAMPLES[values.length]?.decoder(body, 0, body.length));
    }
  }
  return { bytes: Buffer.concat(parts), values };
}

/** Spans count from the body's beginning here, so the stream in one chunk is the reference. */
const WHOLE = readIn([STREAM]);

t.test('in one chunk', async (t) => {
  t.equal(WHOLE.values.length, SAMPLES.length);
  t.strictSame(WHOLE.bytes, STREAM);
});

t.test('split at every byte, every decoder reads the same', async (t) => {
  for (let at = 0; at <= STREAM.length; at++) {
    const split = readIn([STREAM.subarray(0, at), STREAM.subarray(at)]);
    if (!split.bytes.equals(STREAM)) t.fail(`split at ${at}`);
    if (JSON.stringify(split.values) !== JSON.stringify(WHOLE.values)) t.fail(`decoded otherwise, split at ${at}`);
  }
});

t.test('byte by byte', async (t) => {
  const split = readIn(Array.from(STREAM, (byte) => Buffer.from([byte])));
  t.strictSame(split.bytes, STREAM);
  t.strictSame(split.values, WHOLE.values);
});

t.test('in random chunks', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 80 }), { maxLength: 30 }), (sizes) => {
      const chunks: Buffer[] = [];
      let at = 0;
      for (const size of sizes) {
        chunks.push(STREAM.subarray(at, at + size));
        at += size;
      }
      chunks.push(STREAM.subarray(at));
      return readIn(chunks).bytes.equals(STREAM);
    }),
  );
});

t.test('who stops early finds the rest', async (t) => {
  const reader = new FrameReader();
  const stream = Buffer.from('Z\0\0\0\x05IC\0\0\0\x06x\0DD', 'latin1');
  for (const { type } of reader.push(stream)) if (type === B.ReadyForQuery) break;
  t.match(reader.next(), { type: B.CommandComplete, body: Buffer.from('x\0') });
  t.equal(reader.next(), null);
  t.equal(reader.rest().toString(), 'DD');
  t.equal(reader.rest().length, 0);
  t.match([...reader.push(Buffer.from('Z\0\0\0\x05I', 'latin1'))], [{ type: B.ReadyForQuery }]);
});

t.test('lengths that cannot be', async (t) => {
  const violation = { code: 'PROTOCOL_VIOLATION', message: 'invalid message length' };
  for (const length of [0, 3, -1, 0x7fffffff, 101]) {
    const header = Buffer.alloc(5, 0x51);
    header.writeInt32BE(length, 1);
    t.throws(() => [...new FrameReader(100).push(header)], violation, String(length));
  }
  const atLimit = Buffer.alloc(101, 0x51);
  atLimit.writeInt32BE(100, 1);
  t.equal([...new FrameReader(100).push(atLimit)].length, 1);
});

t.test('messageLength reads a signed Int32', async (t) => {
  for (const length of [4, 255, 65_536, 0x3fffffff, -1, -2147483648]) {
    const header = Buffer.alloc(7);
    header.writeInt32BE(length, 3);
    t.equal(messageLength(header, 2), length);
  }
});

t.test('limits of messages after login', async (t) => {
  const large: number[] = [F.Query, F.Parse, F.Bind, F.FunctionCall, F.CopyData];
  for (const [name, type] of Object.entries(F)) {
    if (type === F.Password) continue;
    const limit = large.includes(type) ? LARGE_MESSAGE_LIMIT : SMALL_MESSAGE_LIMIT;
    const violation = { code: 'PROTOCOL_VIOLATION', severity: 'FATAL', message: 'invalid message length' };
    t.doesNotThrow(() => checkFrontendHeader(type, limit), name);
    t.doesNotThrow(() => checkFrontendHeader(type, 4), name);
    t.throws(() => checkFrontendHeader(type, limit + 1), violation, name);
    t.throws(() => checkFrontendHeader(type, 3), violation, name);
    t.throws(() => checkFrontendHeader(type, -1), violation, name);
  }
  for (const type of [0, 1, 0x70, 0x52, 0xff]) {
    t.throws(() => checkFrontendHeader(type, 4), { message: `invalid frontend message type ${type}` });
  }
});

t.test('limits of messages while logging in', async (t) => {
  t.doesNotThrow(() => checkAuthHeader(F.Password, AUTH_MESSAGE_LIMIT));
  t.throws(() => checkAuthHeader(F.Password, AUTH_MESSAGE_LIMIT + 1), { code: 'PROTOCOL_VIOLATION' });
  t.throws(() => checkAuthHeader(F.Query, 4), { message: 'expected password response, got message type 81' });
});

t.test('what may come in a COPY', async (t) => {
  const allowed = Object.values(F).filter(isCopyInMessage);
  t.strictSame(new Set(allowed), new Set([F.CopyData, F.CopyDone, F.CopyFail, F.Flush, F.Sync]));
});
