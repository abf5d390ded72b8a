import t from 'tap';
import { foldText } from './helpers.js';

t.test('rows of a VALUES list that are alike are one', (t) => {
  const cases: [string, string][] = [
    ["INSERT INTO t VALUES (1,'a'),(2,'b'), (3,'c')", "INSERT INTO t VALUES (1,'')"],
    ['insert into t values($1,$2),($3,$4),\n($5,$10) returning id', 'insert into t values($1,$2) returning id'],
    ["VALUES (1, 'a'), (2, 'b')", "VALUES (1, '')"],
    ["INSERT INTO t VALUES (1,'a'),(2,NULL),(3,'b'),(4,NULL)", "INSERT INTO t VALUES (1,''),(1,NULL)"],
    ["INSERT INTO t VALUES (DEFAULT, f('x')), (DEFAULT, f('y'))", "INSERT INTO t VALUES (DEFAULT, f(''))"],
    [
      'INSERT INTO t VALUES (f(1)), (f(2)) ON CONFLICT DO NOTHING',
      'INSERT INTO t VALUES (f(1)) ON CONFLICT DO NOTHING',
    ],
    [
      "UPDATE t SET a = v.a FROM (VALUES (1, 'x'), (2, 'y')) AS v (id, a) WHERE t.id = v.id AND b IN (1, 2)",
      "UPDATE t SET a = v.a FROM (VALUES (1, '')) AS v (id, a) WHERE t.id = v.id AND b IN (1, 1)",
    ],
    ['WITH a AS (VALUES (1),(2)) SELECT (1),(2) FROM a', 'WITH a AS (VALUES (1)) SELECT (1),(1) FROM a'],
    ['VALUES (1),(2) UNION ALL VALUES (3),(4)', 'VALUES (1) UNION ALL VALUES (1)'],
    [
      'INSERT INTO t VALUES ((SELECT max(a) FROM u)),((SELECT max(a) FROM u))',
      'INSERT INTO t VALUES ((SELECT max(a) FROM u))',
    ],
  ];
  for (const [sql, key] of cases) t.equal(foldText(sql), key, sql);
  t.equal(foldText(`INSERT INTO t VALUES ${"(1, 'x'), ".repeat(500_000)}(1, '')`), "INSERT INTO t VALUES (1, '')");
  t.end();
});

t.test('rows stay where they are not alike, or it may be no VALUES list', (t) => {
  const cases = [
    "INSERT INTO t VALUES (1,''),(1 ,'')",
    'INSERT INTO t VALUES (a$1),(a$2)',
    'INSERT INTO t VALUES (1,"a$1"),(1,"a$2")',
    'INSERT INTO t VALUES ((SELECT a FROM u)),((SELECT a FROM v))',
    'INSERT INTO t VALUES (now()),(1)',
    // A table or column may be called so, and what follows be a list of names.
    'INSERT INTO values (a), (a) SELECT 1',
    'SELECT * FROM t AS values (a), (a)',
    'INSERT INTO values ((SELECT 1)), ((SELECT 1))',
    'INSERT INTO values (SELECT(1)), (SELECT(1))',
    'INSERT INTO t AS values (VALUES(1)), (VALUES(1))',
    'SELECT s.values(1), (1)',
    'INSERT INTO t VALUES (1) ON CONFLICT (a values (default, null), (default, null)) DO NOTHING',
    'SELECT * FROM t values (a, ",1"), (a, ",1")',
    'SELECT s . values(1), (1)',
    'SELECT s./**/values(1), (1)',
    'SELECT (1), (1)',
    'SELECT * FROM t WHERE a IN ((1), (1))',
    'SELECT values, (1), (1) FROM t',
    // One tuple is all that it takes.
    'MERGE INTO t USING u ON a = b WHEN NOT MATCHED THEN INSERT VALUES (1), (1)',
    'WITH x AS (MERGE INTO t USING u ON a = b WHEN NOT MATCHED THEN INSERT VALUES (1),(1)) SELECT 1',
    'INSERT INTO t VALUES (1), (1',
    'INSERT INTO t VALUES (1),,(1)',
    'INSERT INTO t VALUES (1) (1)',
    'INSERT INTO t VALUES , (1), (1)',
    'INSERT INTO t VALUES ($1), ($12345678901)',
  ];
  for (const sql of cases) t.equal(foldText(sql), sql, sql);
  t.end();
});
