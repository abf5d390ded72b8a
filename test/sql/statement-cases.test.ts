import t from 'tap';
import { parse } from 'yaml';
import type { Statement, TableChange, TableName } from '../../src/sql/statement.js';
import { nameOf, parseOne, readCaseFiles } from './helpers.js';

/** What a case states; what it leaves out is empty, false, null, or for `deterministic` true. A table with ONLY is 'ONLY t'. */
interface Case {
  readonly sql: string;
  readonly kind: string;
  readonly reads?: readonly string[];
  readonly writes?: readonly string[];
  readonly locks?: readonly string[];
  /** 'insert t', 'update t (a, b)', 'truncate t CASCADE' */
  readonly changes?: readonly string[];
  readonly sequences?: readonly string[];
  readonly functions?: readonly string[];
  readonly schemas?: readonly string[];
  readonly opaque?: string;
  readonly writesData?: boolean;
  readonly deterministic?: boolean;
  readonly ordered?: boolean;
  readonly copyStream?: string;
  readonly effects?: readonly object[];
}

function expected(stated: Case): object {
  return {
    kind: stated.kind,
    reads: stated.reads ?? [],
    writes: stated.writes ?? [],
    locks: stated.locks ?? [],
    changes: stated.changes ?? [],
    sequences: stated.sequences ?? [],
    functions: stated.functions ?? [],
    schemas: stated.schemas ?? [],
    opaque: stated.opaque ?? null,
    writesData: stated.writesData ?? false,
    deterministic: stated.deterministic ?? true,
    ordered: stated.ordered ?? false,
    copyStream: stated.copyStream ?? null,
    effects: stated.effects ?? [],
  };
}

const onlyName = (table: TableName): string => `${table.only === true ? 'ONLY ' : ''}${nameOf(table)}`;

function changeText({ op, table, columns, cascade }: TableChange): string {
  const set = columns === null ? '' : ` (${columns.join(', ')})`;
  return `${op} ${onlyName(table)}${set}${cascade ? ' CASCADE' : ''}`;
}

/** What says more of some facts has tests of its own. */
function found({ homonyms: _homonyms, fills: _fills, unsteady: _unsteady, ...statement }: Statement): object {
  return {
    ...statement,
    reads: statement.reads.map(onlyName),
    writes: statement.writes.map(onlyName),
    locks: statement.locks.map(onlyName),
    changes: statement.changes.map(changeText),
    sequences: statement.sequences.map(nameOf),
    functions: statement.functions.map(nameOf),
    schemas: statement.schemas ?? [],
    // The statement inside of PREPARE has a test of its own.
    effects: statement.effects.map((effect) =>
      effect.type === 'prepare' ? { type: 'prepare', name: effect.name } : effect,
    ),
  };
}

for (const { file, text } of readCaseFiles()) {
  t.test(file, (t) => {
    for (const stated of parse(text) as Case[]) t.same(found(parseOne(stated.sql)), expected(stated), stated.sql);
    t.end();
  });
}

t.test('a prepared statement keeps the facts of what is inside', (t) => {
  const [effect] = parseOne('PREPARE p AS UPDATE t SET a = $1 WHERE b IN (SELECT c FROM u)').effects;
  t.match(effect, {
    type: 'prepare',
    name: 'p',
    statement: { kind: 'update', reads: [{ name: 'u' }], writes: [{ name: 't' }], writesData: true },
  });
  t.end();
});

t.test('statements cannot be changed by those who share them', (t) => {
  const statement = parseOne('SELECT * FROM t FOR UPDATE');
  t.ok(Object.isFrozen(statement));
  t.throws(() => (statement.reads as object[]).push({ name: 'x' }));
  t.end();
});

t.test('names are folded and cut to 63 bytes as Postgres does', (t) => {
  const long = 'a'.repeat(70);
  const accents = 'é'.repeat(40);
  t.same(parseOne(`SELECT * FROM ${long.toUpperCase()}`).reads, [{ name: 'a'.repeat(63) }]);
  t.same(parseOne(`SELECT * FROM "${long}"`).reads, [{ name: 'a'.repeat(63) }]);
  // 31 letters of two bytes are 62; half a letter is not kept.
  t.same(parseOne(`SELECT * FROM ${accents}`).reads, [{ name: 'é'.repeat(31) }]);
  t.same(parseOne(`SELECT nextval('${accents}')`).sequences, [{ name: 'é'.repeat(31) }]);
  t.same(parseOne(`SELECT nextval('"${long}"')`).sequences, [{ name: 'a'.repeat(63) }]);
  t.same(parseOne('SELECT * FROM "a""b"').reads, [{ name: 'a"b' }]);
  t.same(parseOne(`SELECT nextval('"a""b"')`).sequences, [{ name: 'a"b' }]);
  t.same(parseOne('SELECT * FROM U&"d\\0061t\\+000061"').reads, [{ name: 'data' }]);
  t.same(parseOne('SELECT * FROM Ünder').reads, [{ name: 'Ünder' }], 'only ASCII is folded');
  t.end();
});

t.test('functions that have the name of one of PostgreSQL’s own are told apart by the catalog', (t) => {
  const { functions, homonyms } = parseOne(
    "SELECT log('x'), public.log('y'), pg_catalog.lower(a), upper(a), mine(1) FROM t",
  );
  t.same(functions.map(nameOf), ['public.log', 'mine']);
  t.same(homonyms?.map(nameOf), ['log', 'upper']);
  t.notOk('homonyms' in parseOne('SELECT 1'), 'nothing is kept where there are none');
  t.end();
});

t.test('strings that name no relation name none', (t) => {
  for (const text of ['', '  ', '12', 'a..b', 'a.b.c.d', '"open', 'a b', '.a']) {
    t.same(parseOne(`SELECT to_regclass('${text}')`).reads, [], JSON.stringify(text));
  }
  t.same(parseOne(`SELECT to_regclass(' Shop . "Big Table" ')`).reads, [{ schema: 'shop', name: 'Big Table' }]);
  t.end();
});
