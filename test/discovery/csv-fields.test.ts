import fc from 'fast-check';
import t from 'tap';
import { CsvFields } from '../../src/discovery/logs/csv-fields.js';

/** The records of a text that comes in chunks of these sizes, over and over; and whether the last was whole. */
function split(text: string, sizes: readonly number[]): { readonly records: string[][]; readonly whole: boolean } {
  const records: string[][] = [];
  const fields = new CsvFields((record) => {
    records.push(Array.from({ length: record.count }, (_, at) => record.text(at)));
    for (let at = 0; at < record.count; at += 1) {
      if (record.bytes(at).toString('utf8') !== record.text(at)) throw new Error('bytes and text differ');
    }
  });
  const bytes = Buffer.from(text);
  let at = 0;
  for (let i = 0; at < bytes.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1;
    // The chunk is the caller's again afterwards.
    const chunk = Buffer.from(bytes.subarray(at, at + size));
    fields.push(chunk);
    chunk.fill(0x22);
    at += size;
  }
  return { whole: fields.end(), records };
}

const quoted = (field: string): string => `"${field.replaceAll('"', '""')}"`;

t.test('fields as Postgres writes them', (t) => {
  const cases: [string, string[][]][] = [
    ['a,b\n', [['a', 'b']]],
    ['a,,"",\n', [['a', '', '', '']]],
    [
      '"it ""is"" so, é\nnext",2\n3,4\n',
      [
        ['it "is" so, é\nnext', '2'],
        ['3', '4'],
      ],
    ],
    ['"""",""""""\n', [['"', '""']]],
    [
      'a,b\r\n"c",d\r\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['a,b', [['a', 'b']]],
    ['a,"b"', [['a', 'b']]],
    ['\n\na,b\n\n', [['a', 'b']]],
    ['', []],
  ];
  for (const [text, records] of cases) {
    for (const size of [1, 2, 3, 1000]) t.same(split(text, [size]), { records, whole: true }, JSON.stringify(text));
  }
  t.end();
});

t.test('any fields, in chunks of any size', (t) => {
  const text = fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a', 'é', '😀', ' ') });
  // A carriage return right before the end of a field without quotes would be the line's; such are quoted.
  const field = fc.oneof(
    fc.stringMatching(/^[a-z0-9 ]{0,5}$/).map((s) => [s, s] as const),
    text.map((s) => [s, quoted(s)] as const),
  );
  const record = fc.array(field, { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (rows, sizes) => {
        const written = rows.map((row) => `${row.map(([, csv]) => csv).join(',')}\n`).join('');
        t.same(
          split(written, sizes).records,
          rows.map((row) => row.map(([plain]) => plain)),
        );
      },
    ),
  );
  t.end();
});

t.test('any bytes end in records', (t) => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a') }),
      fc.integer({ min: 1, max: 9 }),
      (text, size) => {
        t.same(split(text, [size]), split(text, [text.length + 1]), 'however they come');
      },
    ),
  );
  t.end();
});

t.test('a record longer than any chunk, and the line that it begins in', (t) => {
  const long = 'x"\n'.repeat(1_000_000);
  const lines: number[] = [];
  const lengths: number[] = [];
  const fields = new CsvFields((record) => {
    lines.push(record.line);
    lengths.push(record.bytes(1).length);
  });
  const bytes = Buffer.from(`a,b\n1,${quoted(long)}\nc,d\n`);
  for (let at = 0; at < bytes.length; at += 100_000) fields.push(bytes.subarray(at, at + 100_000));
  t.ok(fields.end());
  t.same(lengths, [1, long.length, 1]);
  t.same(lines, [1, 2, 1_000_003]);
  t.end();
});

t.test('a quote that is not closed', (t) => {
  t.same(split('a,b\nc,"d\n', [4]), { records: [['a', 'b']], whole: false });
  const fields = new CsvFields(() => undefined);
  fields.push(Buffer.from('a,b\nc,"'));
  const chunk = Buffer.alloc(16 * 1024 * 1024, 'x');
  const tooMuch = (): void => {
    for (let i = 0; i < 20; i += 1) fields.push(chunk);
  };
  t.throws(tooMuch, { code: 'FILE_UNREADABLE', message: /line 2: the entry does not end/ });
  t.end();
});
