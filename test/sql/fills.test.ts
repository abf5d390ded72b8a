import t from 'tap';
import { withPins } from '../../src/sql/extract-pins.js';
import { StatementCache } from '../../src/sql/statement-cache.js';
import { parseOne, parser } from './helpers.js';

/** SQL -> what its columns get: 'a b' or '1 2' given, 'all', 'unknown', 'DEFAULT: x'. */
const FILLS: Readonly<Record<string, readonly string[]>> = {
  'INSERT INTO t (a, b) VALUES (1, 2)': ['a b'],
  'INSERT INTO t VALUES (1, 2)': ['1 2'],
  'INSERT INTO t VALUES (1, DEFAULT), (DEFAULT, 2), (1, 2)': [''],
  'INSERT INTO t (a, b, c) VALUES (1, DEFAULT, 3)': ['a c'],
  'INSERT INTO t DEFAULT VALUES': [''],
  'INSERT INTO t SELECT 1, 2 UNION SELECT 3, 4': ['1 2'],
  'INSERT INTO t SELECT * FROM u': ['unknown'],
  'INSERT INTO t SELECT u.* FROM u': ['unknown'],
  'INSERT INTO t (a) SELECT * FROM u': ['a'],
  'INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = DEFAULT, c = 1': ['a', 'DEFAULT: b'],
  'UPDATE t SET a = DEFAULT, b = 1': ['DEFAULT: a'],
  'UPDATE t SET a = 1': [],
  'COPY t FROM STDIN': ['all'],
  'COPY t (a, b) FROM STDIN': ['a b'],
  'MERGE INTO t USING u ON t.a = u.a WHEN NOT MATCHED THEN INSERT (a) VALUES (u.a) WHEN MATCHED THEN UPDATE SET b = DEFAULT':
    ['a', 'DEFAULT: b'],
  'MERGE INTO t USING u ON t.a = u.a WHEN NOT MATCHED THEN INSERT DEFAULT VALUES': [''],
};

t.test('which columns a statement gives, and which get their defaults', (t) => {
  for (const [sql, expected] of Object.entries(FILLS)) {
    const found = (parseOne(sql).fills ?? []).map((fill) => {
      if ('defaults' in fill) return `DEFAULT: ${fill.defaults.join(' ')}`;
      return typeof fill.given === 'string' ? fill.given : fill.given.join(' ');
    });
    t.strictSame(found, expected, sql);
  }
  t.end();
});

/** SQL -> the rows that it names. */
const PINS: Readonly<Record<string, readonly string[]>> = {
  'UPDATE t SET a = 9 WHERE id = 42': ['id=42'],
  "DELETE FROM t WHERE t.id = 'x' AND n > 5 AND $2 = kind": ['id=x kind=$2'],
  'DELETE FROM t WHERE id IN (1, $2, 3)': ['id=1', 'id=$2', 'id=3'],
  'DELETE FROM t WHERE id = 1 OR id = 2': [],
  'DELETE FROM t': [],
  'UPDATE t SET a = 1 WHERE id = $1::int': ['id=$1'],
  'UPDATE t SET a = 1 WHERE id = f(1)': [],
  "INSERT INTO t (id, b) VALUES (1, 'x'), ($1, now())": ['id=1 b=x', 'id=$1'],
  'INSERT INTO t VALUES (1, 2)': ['1=1 2=2'],
};

t.test('which rows a statement names by values', (t) => {
  for (const [sql, expected] of Object.entries(PINS)) {
    const { pins = [] } = withPins(() => parseOne(sql));
    const found = pins.map(({ row }) =>
      row.map(({ column, value }) => `${column}=${typeof value === 'number' ? `$${value}` : value}`).join(' '),
    );
    t.strictSame(found, expected, sql);
    t.equal(parseOne(sql).pins, undefined, 'nobody else gets them');
  }
  const cache = new StatementCache(parser, { entries: 10, bytes: 1_000_000 });
  t.match(cache.parseAnew('DELETE FROM t WHERE id = 7').statements, [
    { pins: [{ row: [{ column: 'id', value: '7' }] }] },
  ]);
  t.end();
});
