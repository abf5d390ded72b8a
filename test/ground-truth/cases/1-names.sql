-- section: plain names
SELECT * FROM items

SELECT * FROM hr.items

SELECT * FROM postgres.hr.items

SELECT * FROM "items"

SELECT * FROM ITEMS

SELECT * FROM "Items"

SELECT * FROM public."Items" i, items j

SELECT * FROM "Odd Schema"."Mixed Case"

SELECT "Id", "a ""quoted"" name" FROM "Odd Schema"."Mixed Case"

SELECT * FROM "Odd Schema"."with.dot"

SELECT * FROM "select" WHERE "table" IS NULL

SELECT * FROM "user"

SELECT user FROM "user"

SELECT * FROM """"

SELECT * FROM grün WHERE größe > 1

SELECT * FROM GRün

SELECT 'ü', * FROM été

SELECT * FROM U&"\00e9t\00e9" e

SELECT * FROM a_table_with_a_name_that_is_just_as_long_as_a_name_can_ever_be_

SELECT * FROM a_table_with_a_name_that_is_just_as_long_as_a_name_can_ever_be_and_then_some_more

SELECT * FROM "a_table_with_a_name_that_is_just_as_long_as_a_name_can_ever_be_and_then_some_more"

INSERT INTO a_table_with_a_name_that_is_just_as_long_as_a_name_can_ever_be_and_more VALUES (1)

SELECT * FROM unnest

SELECT * FROM unnest(ARRAY[1, 2])

SELECT * FROM unnest(ARRAY[1, 2]) AS items

SELECT * FROM unnest(ARRAY[1]) AS x, unnest

SELECT count(*) FROM count

SELECT count(count) FROM count

SELECT t FROM t

SELECT t.t FROM t

SELECT t.* FROM t, u AS t2

SELECT (x.t).u FROM (SELECT a AS t FROM t a) AS x

SELECT items FROM holder

SELECT (holder.departments).name FROM holder

SELECT (departments).* FROM holder

SELECT (pair).items, (holder.pair).currency FROM public.holder

SELECT holder.items FROM holder WHERE holder.items = (holder.pair).items

SELECT public.holder.items FROM public.holder

SELECT items.label FROM hr.items

SELECT hr.items.label FROM hr.items

SELECT items.id FROM t AS items(id)

SELECT label FROM hr.items AS "public.items"

SELECT i.* FROM hr.items AS i(a, b)

SELECT items.id FROM hr.departments AS items

SELECT departments.label FROM public.items AS departments WHERE departments.id IN (SELECT id FROM hr.departments)

SELECT a.id FROM items a JOIN hr.items b USING (id) JOIN sales.items c USING (id)

SELECT * FROM items NATURAL JOIN hr.items AS x

SELECT * FROM items AS a NATURAL LEFT JOIN (hr.items AS b NATURAL JOIN sales.items AS c)

SELECT * FROM (items CROSS JOIN hr.departments)

SELECT name FROM (items JOIN hr.departments USING (id) AS two)

SELECT joined.id FROM items JOIN hr.items USING (id) AS joined

TABLE items

TABLE hr.items

TABLE ONLY vehicles

TABLE "Odd Schema"."Mixed Case"

SELECT 1 /* FROM hr.items */ FROM sales.items -- JOIN hr.departments

SELECT 'FROM hr.items', $$ JOIN hr.departments $$, $a$ $$ FROM t $a$ FROM sales.items

SELECT E'it''s \' FROM hr.items' FROM sales.items

SELECT U&'\0041' FROM items

SELECT 'a'
  ' FROM hr.items' FROM items

SELECT items.*::text FROM items

SELECT pg_catalog.count(*) FROM pg_catalog.pg_class, items

SELECT relname FROM pg_class WHERE relname = 'items'

SELECT * FROM information_schema.tables WHERE table_name = 'items'

SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = 1259

--: beyond public.items: named only
SELECT 'items'::regclass

--: beyond hr.items: named only
SELECT 'hr.items'::regclass::oid

--: beyond hr.items: named only
SELECT * FROM pg_class WHERE oid = 'hr.items'::regclass

--: beyond public.Items: named only
SELECT relname FROM pg_class WHERE oid = '"Items"'::regclass

--: beyond hr.items: named only
SELECT pg_relation_size('hr.items')

--: beyond Odd Schema.Mixed Case: named only
SELECT pg_total_relation_size('"Odd Schema"."Mixed Case"'::regclass)

--: beyond hr.items: named only
SELECT to_regclass('hr.items')

SELECT tableoid::regclass FROM items

-- section: plain search_path
-- before: SET search_path = hr, public
SELECT * FROM items

SELECT * FROM departments d JOIN t ON true

SELECT * FROM public.items

INSERT INTO items VALUES (9, 'x')

SELECT * FROM sales.items, items

WITH items AS (SELECT * FROM public.items) SELECT * FROM items

SET LOCAL search_path = sales, public; SELECT * FROM items

SET LOCAL search_path TO public; SELECT * FROM items

SET search_path = sales; SELECT * FROM items

SET search_path TO DEFAULT; SELECT * FROM items

RESET search_path; SELECT * FROM items

RESET ALL; SELECT * FROM items

SET LOCAL search_path FROM CURRENT; SELECT * FROM items

SELECT set_config('search_path', 'sales', true); SELECT * FROM items

SELECT set_config('search_path', 'sales, hr', false); SELECT * FROM items, departments

--: beyond sales.items: undone
SAVEPOINT a; SET LOCAL search_path = sales; SELECT * FROM items; ROLLBACK TO a; INSERT INTO items VALUES (7, 'x')

SET LOCAL search_path = 'sales', "public"; SELECT * FROM items, "Items"

SET LOCAL search_path = "Odd Schema", public; SELECT * FROM "Mixed Case", items

SET LOCAL search_path = nowhere, sales; SELECT * FROM items

SET LOCAL search_path = nowhere; SELECT * FROM hr.items

SET LOCAL search_path = public, pg_catalog; SELECT * FROM items, pg_class LIMIT 1

SET LOCAL search_path = ''; SELECT * FROM hr.items; SELECT count(*) FROM pg_class

SET LOCAL search_path = HR; SELECT * FROM items

SET LOCAL search_path = "$user", sales; SELECT * FROM items

SET LOCAL search_path = '$user', hr; SELECT * FROM items

SET LOCAL SCHEMA 'sales'; SELECT * FROM items

SET LOCAL search_path = pg_temp, hr; CREATE TABLE items (id int); SELECT * FROM items

SET LOCAL search_path = hr, pg_temp; CREATE TEMP TABLE items (id int); SELECT * FROM items

-- section: plain path of the role
-- login: clerk
SELECT * FROM items

SELECT * FROM employees, t

SET LOCAL search_path = "$user", public; SELECT * FROM items

SET LOCAL ROLE app; SELECT * FROM items

-- section: plain path of the role in this database
-- login: porter
SELECT * FROM items

SELECT * FROM orders o, t WHERE o.id = t.t

-- section: plain path of the startup packet
-- login: clerk -c search_path=sales,public
SELECT * FROM items

RESET search_path; SELECT * FROM items

-- section: plain path with the user's own schema
-- login: sales
SELECT * FROM items

SELECT * FROM orders, t

SET LOCAL ROLE clerk; SELECT * FROM items

SET LOCAL search_path = public; SELECT * FROM items

SET LOCAL search_path = hr, "$user"; SELECT * FROM items, lines

-- section: plain path of the startup packet, other spellings
-- login: postgres --search_path=hr
SELECT * FROM items

-- section: plain path with quotes
-- login: postgres -c search_path="Odd\ Schema",sales
SELECT * FROM items, "Mixed Case"

-- section: plain temporary tables
-- before: CREATE TEMP TABLE items AS SELECT 1 AS id, 'temp'::text AS label
SELECT * FROM items

SELECT * FROM public.items

SELECT * FROM pg_temp.items

SELECT * FROM items JOIN hr.items h USING (id) JOIN public.items p USING (id)

INSERT INTO items SELECT * FROM hr.items

INSERT INTO public.items SELECT id + 100, label FROM items

UPDATE items SET label = (SELECT label FROM sales.items LIMIT 1)

DELETE FROM items USING hr.items h WHERE h.id = items.id

TRUNCATE items

DROP TABLE items; SELECT * FROM items

--: beyond public.things: undone
ALTER TABLE items RENAME TO things; SELECT * FROM items; SELECT * FROM things

CREATE INDEX ON items (id); SELECT * FROM items WHERE id = 1

WITH items AS (SELECT * FROM hr.items) SELECT * FROM items

WITH items AS (SELECT * FROM items) SELECT * FROM items

SET LOCAL search_path = public, pg_temp; SELECT * FROM items

SET LOCAL search_path = hr, pg_temp; SELECT * FROM items

CREATE TEMP VIEW departments AS SELECT * FROM items; SELECT * FROM departments

DISCARD PLANS; SELECT * FROM items

-- section: plain temporary tables made on the way
CREATE TEMP TABLE t (x int); SELECT * FROM t

CREATE TEMPORARY TABLE t AS SELECT * FROM u; INSERT INTO t SELECT * FROM u; SELECT * FROM t

CREATE TABLE pg_temp.t (x int); SELECT * FROM t; SELECT * FROM public.t

CREATE LOCAL TEMP TABLE IF NOT EXISTS t (x int) ON COMMIT DROP; INSERT INTO t VALUES (1); TABLE t

SELECT * INTO TEMP t FROM u; SELECT * FROM t

SELECT 1 AS a INTO TEMPORARY TABLE fresh; SELECT * FROM fresh, items

CREATE TEMP TABLE items (LIKE hr.items INCLUDING ALL); SELECT * FROM items

CREATE TEMP SEQUENCE numbers; SELECT nextval('numbers')

--: beyond pg_temp.u: undone
SAVEPOINT s; CREATE TEMP TABLE u (a int); ROLLBACK TO s; SELECT * FROM u

--: unseen public.items: not followed yet
--: beyond pg_temp.items, public.Items: not followed yet
CREATE TEMP TABLE "Items" (a int); SELECT * FROM items; SELECT * FROM "Items"
