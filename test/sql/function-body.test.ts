import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { readPlpgsqlBody, readSqlBody } from '../../src/sql/function-body.js';
import { loadParser } from '../../src/sql/parser.js';
import type { Body, Touches } from '../../src/sql/statement.js';
import { mergeTouches, touchesOf } from '../../src/sql/touches.js';
import { nameOf, parseOne, parser } from './helpers.js';

interface Told {
  readonly reads?: readonly string[];
  readonly writes?: readonly string[];
  readonly locks?: readonly string[];
  readonly changes?: readonly string[];
  readonly sequences?: readonly string[];
  readonly functions?: readonly string[];
  readonly opaque?: string | null;
  readonly sets?: readonly string[];
}

function told({ sets = [], ...body }: Touches & Partial<Pick<Body, 'sets'>>): Required<Told> {
  return {
    reads: body.reads.map(nameOf),
    writes: body.writes.map(nameOf),
    locks: body.locks.map(nameOf),
    changes: body.changes.map(({ op, table, columns }) =>
      columns === null ? `${op} ${nameOf(table)}` : `${op} ${nameOf(table)} (${columns.join(', ')})`,
    ),
    sequences: body.sequences.map(nameOf),
    functions: body.functions.map(nameOf),
    opaque: body.opaque,
    sets,
  };
}

const NOTHING: Required<Told> = {
  reads: [],
  writes: [],
  locks: [],
  changes: [],
  sequences: [],
  functions: [],
  opaque: null,
  sets: [],
};

/** A definition as pg_get_functiondef writes it. */
function definition(body: string, { args = '', returns = 'void' } = {}): string {
  return `CREATE OR REPLACE FUNCTION public.f(${args})\n RETURNS ${returns}\n LANGUAGE plpgsql\nAS $function$${body}$function$\n`;
}

const plpgsql = (body: string, signature?: { args?: string; returns?: string }): Required<Told> =>
  told(readPlpgsqlBody(parser, definition(body, signature)));

t.test('every place of a PL/pgSQL body where SQL can stand', (t) => {
  const places: readonly (readonly [string, string, Told])[] = [
    ['', 'SELECT count(*) INTO v FROM t;', { reads: ['t'] }],
    ['', 'v := (SELECT max(id) FROM t);', { reads: ['t'] }],
    ['', 'v = (SELECT max(id) FROM t);', { reads: ['t'] }],
    ['', 'v := count(*) FROM t;', { reads: ['t'] }],
    ['', 'a[(SELECT 1 FROM t)] := f(1);', { reads: ['t'], functions: ['f'] }],
    ['', "a[1] := ARRAY['=', ']'] || (SELECT x FROM t);", { reads: ['t'] }],
    ['w int := (SELECT 1 FROM t);', 'NULL;', { reads: ['t'] }],
    ['k CURSOR FOR SELECT * FROM t;', 'OPEN k;', { reads: ['t'] }],
    [
      'k CURSOR (n int) FOR SELECT * FROM t WHERE id = n;',
      'FOR r IN k((SELECT 1 FROM u)) LOOP END LOOP;',
      { reads: ['t', 'u'] },
    ],
    ['', 'IF EXISTS (SELECT FROM t) THEN NULL; END IF;', { reads: ['t'] }],
    ['', 'IF v > 1 THEN NULL; ELSIF v > (SELECT 1 FROM t) THEN NULL; END IF;', { reads: ['t'] }],
    ['', 'IF v > 1 THEN NULL; ELSE PERFORM * FROM t; END IF;', { reads: ['t'] }],
    [
      '',
      'CASE (SELECT 1 FROM t) WHEN (SELECT 1 FROM u) THEN PERFORM f(); ELSE PERFORM g(); END CASE;',
      { reads: ['t', 'u'], functions: ['f', 'g'] },
    ],
    ['', 'CASE WHEN v > (SELECT 1 FROM t) THEN NULL; END CASE;', { reads: ['t'] }],
    ['', 'LOOP EXIT WHEN (SELECT true FROM t); CONTINUE WHEN EXISTS (SELECT FROM u); END LOOP;', { reads: ['t', 'u'] }],
    ['', 'WHILE EXISTS (SELECT FROM t) LOOP PERFORM f(); END LOOP;', { reads: ['t'], functions: ['f'] }],
    [
      '',
      'FOR i IN (SELECT 1 FROM t)..(SELECT 9 FROM u) BY (SELECT 2 FROM w) LOOP PERFORM f(); END LOOP;',
      { reads: ['t', 'u', 'w'], functions: ['f'] },
    ],
    [
      '',
      'FOR r IN SELECT * FROM t LOOP DELETE FROM u WHERE id = r.id; END LOOP;',
      { reads: ['t'], writes: ['u'], changes: ['delete u'] },
    ],
    [
      '',
      'FOREACH v IN ARRAY (SELECT array_agg(id) FROM t) LOOP PERFORM f(v); END LOOP;',
      { reads: ['t'], functions: ['f'] },
    ],
    ['', 'OPEN c FOR SELECT * FROM t; FETCH c INTO v; MOVE c; CLOSE c;', { reads: ['t'] }],
    ['', 'INSERT INTO t VALUES (1) RETURNING id INTO STRICT v;', { writes: ['t'], changes: ['insert t'] }],
    ['', 'UPDATE t SET a = v, b = 1 WHERE CURRENT OF c;', { writes: ['t'], changes: ['update t (a, b)'] }],
    [
      '',
      'MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE;',
      { reads: ['u'], writes: ['t'], changes: ['delete t'] },
    ],
    ['', 'CALL s.p(v);', { functions: ['s.p'] }],
    ['', 'RETURN QUERY SELECT * FROM t;', { reads: ['t'] }],
    ['', 'RETURN NEXT (SELECT 1 FROM t);', { reads: ['t'] }],
    ['', "RAISE NOTICE '%', (SELECT 1 FROM t) USING HINT = f();", { reads: ['t'], functions: ['f'] }],
    ['', "ASSERT EXISTS (SELECT FROM t), 'none';", { reads: ['t'] }],
    [
      '',
      'BEGIN NULL; EXCEPTION WHEN OTHERS THEN INSERT INTO t VALUES (SQLERRM); END;',
      { writes: ['t'], changes: ['insert t'] },
    ],
    ['', '<<inner>> DECLARE w int := f(); BEGIN PERFORM g(); END;', { functions: ['f', 'g'] }],
    ['', "PERFORM nextval('s');", { sequences: ['s'] }],
    ['', 'PERFORM 1 FROM t FOR UPDATE;', { reads: ['t'], locks: ['t'] }],
    ['', 'PERFORM 1; -- a comment that would hide what follows\n PERFORM f();', { functions: ['f'] }],
    ['', 'v := f(1) -- without end\n;', { functions: ['f'] }],
    ['', 'LOCK TABLE t; TRUNCATE u;', { writes: ['t', 'u'], changes: ['truncate u'] }],
    ['', "v := 'public.t'::regclass;", { reads: ['public.t'] }],
  ];
  for (const [declared, statements, expected] of places) {
    const body = `DECLARE v int; a int[]; r record; c refcursor; ${declared} BEGIN ${statements} END`;
    t.same(plpgsql(body, { returns: 'SETOF int' }), { ...NOTHING, ...expected }, `${declared} ${statements}`);
  }
  t.end();
});

t.test('EXECUTE: constants are read, all else is opaque, and what was found is kept', (t) => {
  const dynamic = { opaque: 'dynamic SQL (EXECUTE)', sets: ['*'] };
  const bodies: readonly (readonly [string, Told])[] = [
    ["EXECUTE 'DELETE FROM t';", { writes: ['t'], changes: ['delete t'] }],
    [
      "EXECUTE 'UPDATE t SET a = $1 WHERE b = ''x''' USING (SELECT 1 FROM u);",
      { reads: ['u'], writes: ['t'], changes: ['update t (a)'] },
    ],
    ['EXECUTE $x$SELECT * FROM t$x$ INTO v;', { reads: ['t'] }],
    ["EXECUTE 'SELECT * '\n|| 'FROM t';", { reads: ['t'] }],
    ["RETURN QUERY EXECUTE 'SELECT * FROM t';", { reads: ['t'] }],
    ["FOR r IN EXECUTE 'SELECT * FROM t' LOOP PERFORM f(); END LOOP;", { reads: ['t'], functions: ['f'] }],
    ["OPEN c FOR EXECUTE 'SELECT * FROM t';", { reads: ['t'] }],
    ["EXECUTE 'SET search_path = x';", { sets: ['search_path'] }],
    ["PERFORM f(); EXECUTE 'DELETE FROM ' || v;", { functions: ['f'], ...dynamic }],
    ["EXECUTE format('DELETE FROM %I', v);", dynamic],
    ['EXECUTE (SELECT x FROM t);', { reads: ['t'], ...dynamic }],
    ["EXECUTE E'DELETE \\x46ROM t';", dynamic],
    ['RETURN QUERY EXECUTE v USING (SELECT 1 FROM t);', { reads: ['t'], ...dynamic }],
    [
      "FOR r IN EXECUTE 'SELECT * FROM ' || v LOOP DELETE FROM t; END LOOP;",
      { writes: ['t'], changes: ['delete t'], ...dynamic },
    ],
    ['OPEN c FOR EXECUTE v;', dynamic],
    ["EXECUTE 'DELETE FRO t';", { opaque: 'does not parse: syntax error at or near "FRO"', sets: ['*'] }],
    ["EXECUTE 'DO $d$ BEGIN DELETE FROM t; END $d$';", { writes: ['t'], changes: ['delete t'] }],
    ['EXECUTE v;', dynamic],
  ];
  for (const [statements, expected] of bodies) {
    const body = `DECLARE v text; r record; c refcursor; BEGIN ${statements} END`;
    t.same(plpgsql(body, { returns: 'SETOF int' }), { ...NOTHING, ...expected }, statements);
  }
  t.end();
});

t.test('settings that a body leaves changed', (t) => {
  const bodies: readonly (readonly [string, readonly string[]])[] = [
    ['SET search_path = a; SET LOCAL Work_Mem = 1;', ['search_path', 'work_mem']],
    ["PERFORM set_config('My.Setting', v, false);", ['my.setting']],
    ["PERFORM set_config(v, 'x', true);", ['*']],
    ['RESET search_path;', ['search_path']],
    ['RESET ALL;', ['*']],
    ['SET ROLE bob;', ['role']],
    ['SET TRANSACTION READ ONLY;', []],
    ['SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;', ['*']],
  ];
  for (const [statements, sets] of bodies) {
    t.same(plpgsql(`DECLARE v text; BEGIN ${statements} END`).sets, sets, statements);
  }
  t.end();
});

t.test('temporary tables that the body makes are its own from then on', (t) => {
  const body = `BEGIN
    INSERT INTO w SELECT * FROM before;
    CREATE TEMP TABLE w AS SELECT * FROM w;
    INSERT INTO w VALUES (1); UPDATE pg_temp.w SET a = 1; DELETE FROM public.w;
    DROP TABLE w;
    TRUNCATE w;
  END`;
  t.same(plpgsql(body), {
    ...NOTHING,
    reads: ['before', 'w'],
    writes: ['w', 'public.w'],
    changes: ['insert w', 'delete public.w', 'truncate w'],
    sets: ['pg_temp'],
  });
  t.same(plpgsql('BEGIN CREATE TEMP TABLE x (a int); INSERT INTO x SELECT * FROM t; END').writes, []);
  t.end();
});

t.test('variables of triggers, and definitions of all shapes', (t) => {
  const trigger = `BEGIN
    IF TG_OP = 'DELETE' THEN INSERT INTO log SELECT OLD.*, TG_TABLE_NAME, now(); RETURN OLD; END IF;
    NEW.changed_at := now(); NEW."A b"[1] = next_number(NEW.id); NEW.total := (SELECT sum(x) FROM lines WHERE id = NEW.id);
    RETURN NEW;
  END`;
  t.same(plpgsql(trigger, { returns: 'trigger' }), {
    ...NOTHING,
    reads: ['lines'],
    writes: ['log'],
    changes: ['insert log'],
    functions: ['next_number'],
  });
  t.same(plpgsql('BEGIN PERFORM f(TG_EVENT); END', { returns: 'event_trigger' }).functions, ['f']);
  const procedure = `CREATE OR REPLACE PROCEDURE s.p(IN a integer DEFAULT 1, INOUT b text DEFAULT NULL::text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 's'
    AS $procedure$ BEGIN INSERT INTO t VALUES (a); COMMIT; CALL q(b); ROLLBACK AND CHAIN; END $procedure$`;
  t.same(told(readPlpgsqlBody(parser, procedure)), {
    ...NOTHING,
    writes: ['t'],
    changes: ['insert t'],
    functions: ['q'],
  });
  t.same(told(readPlpgsqlBody(parser, 'DO $$ BEGIN DELETE FROM t; END $$')).changes, ['delete t']);
  t.end();
});

t.test('types that only a catalog knows do not hide a body', (t) => {
  const bodies: readonly (readonly [string, { args?: string; returns?: string }?])[] = [
    ['DECLARE o orders%ROWTYPE; BEGIN o.id := 1; INSERT INTO t VALUES (o.*); END'],
    ['DECLARE o "Big Orders" % rowtype; BEGIN o.id := 1; INSERT INTO t VALUES (o.*); END'],
    ['DECLARE a addr.street%TYPE; b orders.addr%TYPE; BEGIN b.street := 1; a.x := 2; INSERT INTO t VALUES (1); END'],
    ['DECLARE x mood; y int; BEGIN SELECT a, b INTO x, y FROM u; INSERT INTO t VALUES (1); END'],
    ['DECLARE x citext; y int; BEGIN INSERT INTO t VALUES (1) RETURNING a, b INTO STRICT x, y; PERFORM 1 FROM u; END'],
    ['DECLARE x mood; y int; BEGIN FOR x, y IN SELECT a, b FROM u LOOP INSERT INTO t VALUES (x); END LOOP; END'],
    [
      'BEGIN SELECT a, b INTO x, y FROM u; INSERT INTO t VALUES (1); RETURN NEXT; END',
      { returns: 'TABLE(x mood, y integer)' },
    ],
    ['BEGIN p.id := 1; INSERT INTO t VALUES (1); END', { args: 'INOUT p orders', returns: 'orders' }],
    [
      'BEGIN RETURN QUERY SELECT * FROM u; INSERT INTO t VALUES (1); END',
      { args: 'VARIADIC p mood[]', returns: 'SETOF orders' },
    ],
  ];
  for (const [body, signature] of bodies) {
    const found = plpgsql(body, signature);
    t.equal(found.opaque, null, body);
    t.same(found.writes, ['t'], body);
    t.equal(found.reads.length, body.includes(' u') ? 1 : 0, body);
  }
  t.end();
});

t.test('what cannot be read is opaque, never an error', (t) => {
  const opaque = (text: string): string | null => readPlpgsqlBody(parser, text).opaque;
  t.equal(opaque(definition('BEGIN DELETE FRO t; END')), 'does not parse: syntax error at or near "FRO"');
  t.match(opaque(definition('BEGIN x := 1; END')), 'is not a known variable');
  t.match(opaque(''), 'does not parse');
  t.match(opaque('SELECT 1'), 'not PL/pgSQL');
  t.match(opaque("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"), 'not PL/pgSQL');
  t.match(opaque('DO LANGUAGE plpython3u $$ x $$'), 'not PL/pgSQL');
  t.match(opaque('nonsense'), 'does not parse');
  t.match(opaque('DO $$ BEGIN END \0 $$'), 'NUL');
  t.same(readPlpgsqlBody(parser, 'nonsense').sets, ['*']);
  t.end();
});

t.test('bodies of LANGUAGE sql', (t) => {
  const sql = (text: string): Required<Told> => told(readSqlBody(parser, text));
  t.same(sql('SELECT * FROM t WHERE id = $1; UPDATE u SET a = amount RETURNING f(a)'), {
    ...NOTHING,
    reads: ['t'],
    writes: ['u'],
    changes: ['update u (a)'],
    functions: ['f'],
  });
  t.same(sql('BEGIN ATOMIC\n INSERT INTO t VALUES (1);\n SELECT g(a) FROM u;\nEND').reads, ['u']);
  t.same(sql('BEGIN ATOMIC\nEND'), NOTHING);
  t.same(sql('RETURN (SELECT max(a) FROM t)').reads, ['t']);
  t.same(sql("SELECT set_config('search_path', 'a', false)").sets, ['search_path']);
  t.same(sql(''), NOTHING);
  t.same(sql('-- nothing'), NOTHING);
  t.match(sql('SELEC 1'), { opaque: 'does not parse: syntax error at or near "SELEC"', sets: ['*'] });
  t.match(sql('EXECUTE p'), { opaque: 'EXECUTE of the prepared statement p' });
  t.end();
});

t.test('DDL on all of a schema', (t) => {
  t.equal(plpgsql('BEGIN GRANT USAGE ON SCHEMA s TO bob; END').opaque, 'DDL on all of schema s');
  t.match(parseOne('DO $$ BEGIN GRANT USAGE ON SCHEMA s TO bob; END $$'), { opaque: null, schemas: ['s'] });
  t.end();
});

t.test('what is too deep is opaque and spoils nothing', async (t) => {
  const own = await loadParser();
  const deep = definition(`BEGIN PERFORM ${'1+'.repeat(10_000)}1; END`);
  const blocks = definition(`${'BEGIN '.repeat(5000)} NULL; ${'END; '.repeat(5000)}`);
  for (let i = 0; i < 60; i += 1) {
    t.type(readPlpgsqlBody(own, i % 2 === 0 ? deep : blocks).opaque, 'string');
    t.same(readPlpgsqlBody(own, definition('BEGIN DELETE FROM t; END')).writes, [{ name: 't' }], `after ${i}`);
    t.equal(own.parse('SELECT 1').syntaxError, null);
    await setImmediate();
  }
  const nested = definition(
    `${'IF f() THEN '.repeat(300)} DELETE FROM t; ${'END IF; '.repeat(300)}`.replace(/^/, 'BEGIN ').concat(' END'),
  );
  t.same(readPlpgsqlBody(own, nested).writes, [{ name: 't' }]);
});

t.test('the union of what pieces of SQL touch', (t) => {
  const pieces = ['UPDATE t SET a = 1', 'UPDATE t SET b = f()', 'DELETE FROM ONLY t', 'SELECT * FROM t, ONLY u'];
  const sum = mergeTouches(pieces.map((sql) => touchesOf(parseOne(sql))));
  t.same(told(sum), {
    ...NOTHING,
    reads: ['t', 'u'],
    writes: ['t'],
    changes: ['update t (a, b)', 'delete t'],
    functions: ['f'],
  });
  t.same(told(mergeTouches([])), NOTHING);
  t.end();
});

t.test('definitions broken at random are read or opaque, never an error', (t) => {
  const whole = definition(
    `DECLARE x mood; y int; o orders%ROWTYPE; a text[] := '{x,"y"}'; c CURSOR (n int) FOR SELECT * FROM t WHERE id = n;
  BEGIN
    FOR x, y IN SELECT a, b FROM u LOOP o.id := x; a[1] = (SELECT 'it''s' || $q$ $1 $q$ FROM w); END LOOP;
    EXECUTE 'DELETE FROM v' || ' WHERE id = $1' USING o.id;
    SELECT a, b INTO STRICT o.a, y FROM t FOR UPDATE;
    RETURN QUERY EXECUTE format('SELECT %I', a[1]); -- a comment
    EXCEPTION WHEN OTHERS THEN RAISE NOTICE '% %', SQLERRM, (SELECT 1 FROM z);
  END`,
    { returns: 'SETOF int' },
  );
  t.equal(readPlpgsqlBody(parser, whole).opaque, 'dynamic SQL (EXECUTE)');
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  let read = 0;
  for (let i = 0; i < 500; i += 1) {
    const from = random(whole.length);
    const to = from + random(12);
    const broken = `${whole.slice(0, from)}${random(2) === 0 ? '' : whole.slice(random(whole.length)).slice(0, 9)}${whole.slice(to)}`;
    const body = readPlpgsqlBody(parser, broken);
    t.ok(Array.isArray(body.reads) && (body.opaque === null || body.sets.includes('*')), broken);
    readSqlBody(parser, broken.slice(60));
    if (body.opaque === null || body.opaque.startsWith('dynamic')) read += 1;
  }
  t.ok(read > 50, `${read} of them could be read`);
  t.end();
});

t.test('calls tell their number of arguments, so that overloads can be told apart', (t) => {
  t.same(parseOne('SELECT f(), f(1), s.f(1, b => 2), f(a) FROM t').functions, [
    { name: 'f', args: 0 },
    { name: 'f', args: 1 },
    { schema: 's', name: 'f', args: 2 },
  ]);
  t.same(parseOne('SELECT f(VARIADIC ARRAY[1, 2])').functions, [{ name: 'f' }]);
  t.same(readSqlBody(parser, 'SELECT f(a, b) FROM t').functions, [{ name: 'f', args: 2 }]);
  t.end();
});
