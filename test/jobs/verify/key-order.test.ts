import t from 'tap';
import { sameKeyOrder } from '../../../src/jobs/verify/key-order.js';
import { readShapes } from '../../../src/mirror/shape/read-shapes.js';
import { brief, startPair, verified } from '../pair.js';

/** Keys that the two sides may hold in another order. */
const pair = await startPair();

const same = (table: string) =>
  pair.inTurn(async ({ source, target }) => {
    const [here, there] = [await readShapes(source, [table]), await readShapes(target, [table])];
    const [mine, theirs] = [here.get(table), there.get(table)];
    return mine !== undefined && theirs !== undefined && sameKeyOrder(source, target, mine, theirs);
  });

const KEYS = `SELECT (ARRAY['a', 'B', 'ä', 'z', 'Z-', '_', 'ß', 'ab', 'A b'])[1 + g % 9] || g AS id, g AS v FROM generate_series(1, 6000) g`;
let tables = 0;

/** A table whose key is this in the source and that in the target. */
async function keyed(here: string, there: string, rows = KEYS): Promise<string> {
  const name = `k${++tables}`;
  await pair.source.query(`CREATE TABLE ${name} (id ${here} PRIMARY KEY, v int)`);
  await pair.target.query(`CREATE TABLE ${name} (id ${there} PRIMARY KEY, v int)`);
  await pair.both(`INSERT INTO ${name} ${rows}`);
  return `public.${name}`;
}

await pair.both(
  `CREATE EXTENSION citext; CREATE DOMAIN code AS text COLLATE "C"; CREATE TYPE size AS ENUM ('s', 'm', 'l')`,
);
const CASES: readonly [here: string, there: string, same: boolean | null][] = [
  ['text COLLATE "C"', 'text COLLATE "C"', true],
  ['text COLLATE "POSIX"', 'text COLLATE "C"', true],
  ['varchar(20) COLLATE "C"', 'varchar(20) COLLATE "en-x-icu"', false],
  ['text COLLATE "en-x-icu"', 'text COLLATE "C"', false],
  ['text COLLATE "de-x-icu"', 'text COLLATE "en-x-icu"', false],
  // By the versions of the two servers' libraries.
  ['text COLLATE "en-x-icu"', 'text COLLATE "en-x-icu"', null],
  ['text', 'text', null],
  ['code', 'code', true],
  ['citext', 'citext', false],
];

for (const [here, there, wanted] of CASES) {
  t.test(`${here} and ${there}`, async (t) => {
    const table = await keyed(here, there);
    if (wanted !== null) t.equal(await same(table), wanted);
    const name = table.slice('public.'.length);
    t.same((await verified(pair, table)).found, []);
    t.same((await verified(pair, table, { budget: 0 })).found, [], 'in many turns');
    await pair.target.query(`DELETE FROM ${name} WHERE v = 17; UPDATE ${name} SET v = 0 WHERE v = 4000;
      INSERT INTO ${name} VALUES ('Bx', 1), ('', 2)`);
    const { rows } = await pair.source.query(`SELECT id::text FROM ${name} WHERE v IN (17, 4000) ORDER BY v`);
    t.same(brief(await verified(pair, table)), [
      `differs ${rows[1]?.id} v`,
      'extra ',
      'extra Bx',
      `missing ${rows[0]?.id}`,
    ]);
  });
}

t.test('other types of keys', async (t) => {
  const numbers = (expression: string) => `SELECT ${expression}, g FROM generate_series(1, 2000) g`;
  const types: readonly [string, string, boolean][] = [
    ['uuid', numbers('md5(g::text)::uuid'), true],
    ['timestamptz', numbers(`'2026-01-01'::timestamptz + g * interval '1 s'`), true],
    ['numeric', numbers('g / 4.0'), true],
    ['bytea', numbers(`decode(md5(g::text), 'hex')`), true],
    ['character(8)', numbers('left(md5(g::text), 6)'), false],
    ['size', `VALUES ('s', 1), ('l', 2)`, false],
    ['int4range', numbers('int4range(g, g + 1)'), false],
    ['text[]', numbers('ARRAY[g::text, NULL]'), false],
  ];
  for (const [type, rows, ordered] of types) {
    const table = await keyed(
      type,
      type,
      rows.replace(/^VALUES (.*)$/, `SELECT a::${type}, b FROM (VALUES $1) x (a, b)`),
    );
    if (type !== 'character(8)') t.equal(await same(table), ordered, type);
    t.same((await verified(pair, table)).found, [], type);
    await pair.target.query(`UPDATE ${table} SET v = -1 WHERE v = 2`);
    const [found] = (await verified(pair, table)).found;
    t.match(found, { kind: 'differs', columns: ['v'] }, type);
  }
});

t.test('one key in two texts', async (t) => {
  const table = await keyed('numeric', 'numeric', 'SELECT g, g FROM generate_series(1, 100) g');
  await pair.target.query(`UPDATE ${table} SET id = 5.00 WHERE id = 5; DELETE FROM ${table} WHERE id = 6`);
  t.same(brief(await verified(pair, table)), ['differs 5 id', 'missing 6']);
});
