import t from 'tap';
import { leafBound } from '../../src/mirror/relay/leaf-bound.js';
import { SourceSide } from '../../src/mirror/relay/source-side.js';
import { startPostgres } from '../support/postgres.js';
import { makePair } from './capture-support.js';
import { bothOf, inStep, startRelay } from './relay-support.js';

const [source, target] = await Promise.all([startPostgres(), startPostgres()]);

t.test('TRUNCATE of a leaf takes its own rows only, also where the target sorts otherwise', async (t) => {
  const pair = await makePair(source, target, 'CREATE TABLE made (id int)', ['public.a']);
  await source.query(
    `CREATE TABLE a (k text COLLATE "C" PRIMARY KEY) PARTITION BY RANGE (k);
     CREATE TABLE a_upper PARTITION OF a FOR VALUES FROM ('A') TO ('a');
     CREATE TABLE a_lower PARTITION OF a FOR VALUES FROM ('a') TO ('z')`,
    pair.from,
  );
  // 'B' is between 'A' and 'a' by bytes, and 'b' is between 'A' and 'Z' for people.
  await target.query('CREATE TABLE a (k text COLLATE "en-x-icu" PRIMARY KEY)', pair.to);
  await pair.install();
  await inStep(pair);
  const { caughtUp } = await startRelay(pair);
  await source.query("INSERT INTO a VALUES ('B'), ('C'), ('b'), ('c')", pair.from);
  await caughtUp();
  await source.query('TRUNCATE a_upper', pair.from);
  await caughtUp();
  const both = await bothOf(pair, 'a');
  t.same(both.source, ['(b)', '(c)']);
  t.same(both.target, both.source);
});

t.test('what bounds a leaf', async (t) => {
  const pair = await makePair(source, target, 'CREATE TABLE made (id int)', []);
  const client = await pair.connect('source');
  await client.query(`CREATE TYPE size AS ENUM ('s', 'm', 'l');
    CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`);
  const CASES: readonly [name: string, table: string, leaf: string, told: boolean][] = [
    ['ints', 'a int) PARTITION BY RANGE (a)', 'FROM (1) TO (5)', true],
    [
      'times',
      'a timestamptz, b date) PARTITION BY RANGE (a, b)',
      "FROM ('2026-01-01', '2026-01-01') TO (MAXVALUE, MAXVALUE)",
      true,
    ],
    ['texts', 'a text) PARTITION BY RANGE (a)', "FROM ('a') TO ('b')", false],
    ['mixed', 'a int, b text) PARTITION BY RANGE (a, b)', "FROM (1, 'a') TO (2, 'b')", false],
    ['enums', 'a size) PARTITION BY RANGE (a)', "FROM ('s') TO ('l')", false],
    ['listed', 'a text) PARTITION BY LIST (a)', "IN ('a', 'b')", true],
    ['labels', 'a size) PARTITION BY LIST (a)', "IN ('s')", true],
    ['loosely', 'a text COLLATE loose) PARTITION BY LIST (a)', "IN ('a')", false],
    ['hashed', 'a int) PARTITION BY HASH (a)', 'WITH (MODULUS 2, REMAINDER 0)', false],
    ['computed', 'a int) PARTITION BY RANGE ((a + 1))', 'FROM (1) TO (5)', false],
    ['rest', 'a int) PARTITION BY RANGE (a)', 'DEFAULT', true],
  ];
  for (const [name, table, leaf, told] of CASES) {
    await client.query(
      `CREATE TABLE ${name} (${table};
      CREATE TABLE ${name}_leaf PARTITION OF ${name} ${leaf === 'DEFAULT' ? '' : 'FOR VALUES '}${leaf};
      CREATE TABLE IF NOT EXISTS rest_other PARTITION OF ${name} FOR VALUES FROM (7) TO (9)`.replace(
        name === 'rest' ? /$^/ : /CREATE TABLE IF NOT EXISTS rest_other[\s\S]*/,
        '',
      ),
    );
    const { rows } = await client.query<{ oid: number }>(`SELECT '${name}_leaf'::regclass::oid AS oid`);
    const bound = await leafBound(new SourceSide(client), rows[0]?.oid ?? 0);
    t.equal(bound !== null, told, `${name}: ${bound}`);
  }
  await client.query(`CREATE TABLE below PARTITION OF texts FOR VALUES FROM ('c') TO ('d') PARTITION BY LIST (a);
    CREATE TABLE below_leaf PARTITION OF below FOR VALUES IN ('cc')`);
  const { rows } = await client.query<{ oid: number }>("SELECT 'below_leaf'::regclass::oid AS oid");
  t.equal(await leafBound(new SourceSide(client), rows[0]?.oid ?? 0), null, 'by the ranges above it');
});
