import fc from 'fast-check';
import t from 'tap';
import { PgfigError } from '../../src/errors/pgfig-error.js';
import * as decode from '../../src/wire/decode.js';
import { parseStartup } from '../../src/wire/startup.js';
import { parseOptions } from '../../src/wire/startup-options.js';
import { traceMessage } from '../../src/wire/trace.js';
import { type Decoder, decoded, SAMPLES } from './messages.js';

/** What a decoder gives or how it refuses; anything but a PgfigError escapes and fails the test. */
function outcome(run: () => unknown): unknown {
  try {
    return { value: run() };
  } catch (error) {
    if (!(error instanceof PgfigError)) throw error;
    return { refused: error.code, message: error.message };
  }
}

/** Offsets in what decoders give count from the buffer's beginning: equal prefixes make them equal. */
const within = (decoder: Decoder, body: Uint8Array, filler: number): unknown => {
  const around = Buffer.alloc(7 + body.length + 40, filler);
  around.set(body, 7);
  return outcome(() => decoder(around, 7, 7 + body.length));
};

const DECODERS = [...new Set(SAMPLES.map(({ decoder }) => decoder))];

t.test('a message that is cut anywhere is refused in the words of Postgres', async (t) => {
  // Of a Bind only the names are read, and of what follows nothing can be missed here.
  for (const { name, message, decoder } of SAMPLES.filter((sample) => sample.name !== 'Bind')) {
    for (let end = 5; end < message.length; end++) {
      const cut = outcome(() => decoder(message, 5, end)) as { refused?: string; message?: string };
      // Keys have any length from 4 to 256: a cut one cannot be told from a shorter one.
      if (name === 'BackendKeyData' && end >= 13) continue;
      if (cut.refused !== 'PROTOCOL_VIOLATION_IN_QUERY' || !/in message$|message format$/.test(cut.message ?? '')) {
        t.fail(`${name} cut at ${end}: ${JSON.stringify(cut)}`);
      }
    }
  }
});

t.test('bytes that are left over are refused', async (t) => {
  for (const { name, message, decoder } of SAMPLES) {
    if (name === 'Bind' || name === 'BackendKeyData') continue;
    const longer = Buffer.concat([message, Buffer.from([0])]);
    t.throws(() => decoded(decoder, longer), { message: 'invalid message format' }, name);
  }
});

t.test('random bytes: only a PgfigError escapes, and what lies around the span does not matter', async () => {
  for (const decoder of DECODERS) {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (body) => {
        const [zeros, ones] = [within(decoder, body, 0), within(decoder, body, 0x41)];
        return JSON.stringify(zeros) === JSON.stringify(ones);
      }),
      { numRuns: 500 },
    );
  }
});

t.test('valid messages with a few bytes changed', async () => {
  const change = fc.tuple(fc.nat(400), fc.nat(255));
  for (const { message, decoder } of SAMPLES) {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(400), (changes, cut) => {
        const body = Buffer.from(message.subarray(5));
        for (const [at, value] of changes) body[at % body.length] = value;
        const shorter = body.subarray(0, Math.min(cut, body.length));
        return JSON.stringify(within(decoder, shorter, 0)) === JSON.stringify(within(decoder, shorter, 0x41));
      }),
      { numRuns: 300 },
    );
  }
});

t.test('random startup packets and options', async () => {
  const header = fc.constantFrom([0, 3, 0, 0], [0, 3, 0, 2], [4, 210, 22, 46], [4, 210, 22, 47], [0, 2, 0, 0]);
  fc.assert(
    fc.property(header, fc.uint8Array({ maxLength: 60 }), (code, rest) => {
      const packet = Buffer.from([0, 0, 0, rest.length + 8, ...code, ...rest]);
      outcome(() => parseStartup(packet));
    }),
    { numRuns: 2000 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 20 }), (packet) => void outcome(() => parseStartup(packet))));
  const piece = fc.constantFrom('-c', ' ', '=', '--', '\\', 'a', '-f', '-S', "'");
  const options = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
  fc.assert(fc.property(options, (text) => void outcome(() => parseOptions(text))));
});

t.test('tracing never throws and stays on one line', async () => {
  fc.assert(
    fc.property(fc.constantFrom('F', 'B'), fc.nat(255), fc.uint8Array({ maxLength: 60 }), (side, type, body) => {
      const line = traceMessage(side as 'F' | 'B', type, Buffer.from(body), 0, body.length);
      return !/[\r\n]/.test(line);
    }),
    { numRuns: 3000 },
  );
});

t.test('a long query without its end is not looked for in what follows', async (t) => {
  const chunk = Buffer.from(`${'x'.repeat(300)}\0`);
  t.throws(() => decode.decodeQuery(chunk, 0, 300), { message: 'invalid string in message' });
  t.throws(() => decode.decodeQuery(chunk, 0, 0), { message: 'invalid string in message' });
});

t.test('the words of Postgres', async (t) => {
  const text = (bytes: string): Buffer => Buffer.from(bytes, 'latin1');
  const refused = (decoder: Decoder, bytes: string, message: string): unknown =>
    t.throws(() => decoder(text(bytes), 0, bytes.length), { code: 'PROTOCOL_VIOLATION_IN_QUERY', message });
  refused(decode.decodeDescribe, 'Xs\0', 'invalid DESCRIBE message subtype 88');
  refused(decode.decodeClose, '\x01s\0', 'invalid CLOSE message subtype 1');
  refused(decode.decodeClose, '', 'no data left in message');
  refused(decode.decodeClose, 'Sname', 'invalid string in message');
  refused(decode.decodeExecute, 'p\0\0\0', 'insufficient data left in message');
  refused(decode.decodeQuery, 'SELECT 1\0;\0', 'invalid message format');
  refused(decode.decodeParse, 's\0q\0\xff\xff', 'insufficient data left in message');
  refused(decode.decodeDataRow, '\0\x01\xff\xff\xff\xfe', 'insufficient data left in message');
});
