-- section: through functions
SELECT hr.headcount(1)

SELECT hr.headcount(id) FROM items

SELECT * FROM hr.staff(1)

SELECT hr.staff(1)

SELECT (hr.staff(1)).name

SELECT * FROM hr.top_paid()

SELECT * FROM hr.top_paid(n => 2) JOIN t ON true

SELECT * FROM ROWS FROM (hr.top_paid(2), generate_series(1, 2)) x

SELECT * FROM t, LATERAL hr.staff(t.t)

SELECT hr.raise_all(0.1)

SELECT hr.hire('x', 1)

SELECT hr.budget_of(1)

--: beyond hr.employees: other columns
SELECT hr.move_budget(1, 2, 10)

SELECT one_expr(1)

SELECT by_path()

SELECT by_path_plpgsql()

SELECT by_own_path()

SELECT as_owner()

--: beyond sales.invoices: overload
SELECT total(1)

--: beyond sales.orders: overload
SELECT total('x'::text)

SELECT pure(1)

SELECT pure(t) FROM t

SELECT nested(1)

SELECT note('x')

SELECT bump('items')

SELECT bump('fresh')

SELECT walk_all()

SELECT * FROM rows_of()

SELECT fixed_dynamic()

SELECT count_rows('hr.items')

SELECT calls_others()

SELECT recursive_one(2)

--: unseen pg_temp.scratch: made by the function
SELECT temp_work()

SELECT changes_path(); SELECT * FROM items

SELECT price_of(sku) FROM (VALUES ('s1'), ('s2')) AS v(sku)

SELECT price_of(label ORDER BY label) FILTER (WHERE id > 0) FROM items

SELECT price_of(label) OVER () FROM items

--: unseen sales.customers: not followed yet
SELECT 1 =~= 2

--: unseen sales.customers: not followed yet
SELECT * FROM t WHERE t =~= u

--: unseen sales.customers: not followed yet
SELECT 1 OPERATOR(public.=~=) 1

--: unseen hr.badges: not followed yet
SELECT 1::badge_code

--: unseen hr.badges: not followed yet
SELECT CAST(t AS badge_code) FROM t

--: unseen audit.settings: not followed yet
SELECT 'open'::known_setting

SELECT label_of(1)

SELECT restock('P-1', 3)

SELECT public.add_price(1, 's1')

SELECT same_region(1, 2) FROM items

--: beyond sales.invoices: overload
SELECT hr.headcount(1) UNION SELECT public.total(2)

SELECT * FROM items WHERE id = hr.headcount(1) ORDER BY hr.budget_of(id) LIMIT hr.headcount(2)

SELECT count(*) FROM items GROUP BY hr.headcount(id) HAVING bool_or(is_open('open'))

INSERT INTO items VALUES (hr.headcount(1) + 100, one_expr(1)) RETURNING hr.budget_of(1)

UPDATE t SET u = hr.headcount(t)

DELETE FROM t WHERE hr.headcount(t) > 0

INSERT INTO t VALUES (1, 1) RETURNING (SELECT bump('items'))

WITH x AS (SELECT hr.raise_all(0.5)) SELECT * FROM x

VALUES (hr.headcount(1))

EXPLAIN ANALYZE SELECT hr.headcount(1)

DECLARE c CURSOR FOR SELECT hr.headcount(id) FROM items; FETCH ALL c

PREPARE p AS SELECT by_path(); EXECUTE p

--: unseen hr.employees: not followed yet
PREPARE p (int) AS SELECT $1; EXECUTE p (hr.headcount(1))

COPY (SELECT hr.headcount(1)) TO '/dev/null'

CREATE TABLE made AS SELECT hr.headcount(1)

--: unseen public.items: made here
CREATE VIEW made AS SELECT by_path() AS n; SELECT * FROM made

SELECT CASE WHEN is_open('open') THEN hr.headcount(1) ELSE 0 END

SELECT * FROM generate_series(1, hr.headcount(1)::int) g

SELECT format('%s', hr.headcount(1)), coalesce(NULL, one_expr(1))

SELECT sum(hr.headcount(id)) OVER (PARTITION BY one_expr(id)) FROM items

SELECT ARRAY[hr.headcount(1)], ROW (one_expr(1))

CALL hr.give_raise(1, 5)

CALL hr.close_year()

CALL sql_procedure('limit')

CALL atomic_procedure()

DO $$ BEGIN PERFORM hr.headcount(1); END $$

DO $$ DECLARE x numeric := 1; BEGIN CALL hr.give_raise(1, x); END $$

--: beyond hr.badges, hr.badge_uses: other columns
DO $$ BEGIN PERFORM * FROM staff; UPDATE rich SET salary = salary; END $$

DO $$ DECLARE r record; BEGIN FOR r IN EXECUTE 'SELECT * FROM hr.items' LOOP NULL; END LOOP; END $$

DO $$ DECLARE c CURSOR (k int) FOR SELECT * FROM hr.items WHERE id = k; r record; BEGIN OPEN c (1); FETCH c INTO r; CLOSE c; END $$

DO $$ DECLARE n int; m int; BEGIN n := hr.headcount(1); m := n + (SELECT max(id) FROM sales.items); ASSERT m > (SELECT 0 FROM u LIMIT 1); END $$

DO $$ DECLARE a int[]; x int; BEGIN a := ARRAY(SELECT id FROM hr.items); FOREACH x IN ARRAY a LOOP RAISE DEBUG '%', one_expr(x); END LOOP; END $$

DO $$ BEGIN FOR i IN 1..(SELECT count(*) FROM items) LOOP EXIT WHEN i > (SELECT max(t) FROM t); END LOOP; END $$

--: beyond public.made: undone
DO $$ BEGIN CREATE TABLE made AS SELECT * FROM staff; INSERT INTO made SELECT * FROM made; DROP TABLE made; END $$

-- section: through functions along another path
-- before: SET search_path = hr, public
SELECT by_path()

SELECT by_path_plpgsql()

SELECT public.by_own_path()

SELECT headcount(1), as_owner()

SELECT * FROM staff(1)

SELECT * FROM staff

SET LOCAL search_path = sales, public; SELECT by_path()

SELECT public.nested(1)

CALL give_raise(1, 1)

SELECT by_path_plpgsql() FROM departments

INSERT INTO public.watched VALUES (77, 'x')

-- section: through functions over temporary tables
-- before: CREATE TEMP TABLE items AS SELECT 1 AS id, 'x'::text AS label
SELECT by_path()

SELECT by_path_plpgsql()

SELECT public.one_expr(1)

SELECT as_owner()

SELECT count_rows('items')

SELECT * FROM all_items
