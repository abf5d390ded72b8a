-- section: through calls that are not written
--: unseen public.items, sales.items: not followed yet
SELECT with_argument()

--: unseen public.items: not followed yet
SELECT with_argument(1)

SELECT with_argument(1, 'x')

--: unseen sales.items: not followed yet
SELECT take_code('x'::text)

--: unseen sales.items: not followed yet
SELECT 'x'::text::code2

--: unseen sales.items: not followed yet
INSERT INTO with_code VALUES (2, 'x'::text)

--: unseen sales.items: not followed yet
UPDATE with_code SET c = 'y'::text

--: unseen sales.items: not followed yet
INSERT INTO with_code SELECT id, label FROM items

INSERT INTO view_default (id) VALUES (300)

SELECT * FROM by_operator

SELECT * FROM by_aggregate

SELECT * FROM by_cast

--: unseen sales.customers: not followed yet
SELECT 1 =~= ANY (ARRAY[2, 3])

--: unseen sales.customers: not followed yet
SELECT * FROM t JOIN u ON t.t =~= u.t

--: unseen sales.customers: not followed yet
SELECT NOT (1 =~= 2) FROM t

--: unseen sales.customers: not followed yet
UPDATE t SET u = 1 WHERE t =~= 1

SELECT (ROW (1, 2)) = (ROW (1, 2)), ARRAY[1] || 2, 'a' || 'b' FROM t

--: unseen audit.log: not followed yet
CREATE COLLATION made2 FROM "C"

ALTER TABLE holder ALTER items TYPE bigint USING hr.headcount(items)

--: unseen audit.settings: made here
CREATE TABLE made (a int DEFAULT next_item(), b text CHECK (is_open(b))); INSERT INTO made VALUES (1, 'open')

-- section: through functions, further
SELECT open_cursor(); FETCH ALL FROM kept

--: beyond public.third: not run
SELECT many_ways(1)

SELECT one_of('a')

SELECT upsert_all()

--: beyond public.third: not run
SELECT * FROM many_ways(1), one_of('b')

SELECT f.* FROM generate_series(1, 2) g, LATERAL hr.top_paid(g) f

--: beyond public.third: not run
SELECT (SELECT many_ways(t.t)) FROM t

SELECT id FROM items WHERE hr.headcount(id) > ALL (SELECT one_of(label) FROM hr.items) ORDER BY with_argument(id)

SELECT string_agg(one_expr(id), ',' ORDER BY hr.budget_of(id)) FROM items

SELECT json_agg(s), (SELECT jsonb_agg(x) FROM hr.staff(1) x) FROM hr.staff(2) s

SELECT lower(one_expr(1)) LIKE upper(label_of(2)) || '%'

INSERT INTO t VALUES (hr.headcount(1), (SELECT hr.hire('z', 2)))

MERGE INTO t USING (SELECT DISTINCT hr.headcount(id) AS n FROM items) s ON s.n = t.t WHEN MATCHED THEN UPDATE SET u = bump('items') WHEN NOT MATCHED THEN DO NOTHING

WITH x AS MATERIALIZED (SELECT hr.raise_all(0.1)), y AS (SELECT one_of('a')) SELECT * FROM x, y

PREPARE p AS SELECT * FROM hr.items; CREATE TABLE made AS EXECUTE p

--: beyond hr.badge_uses: not run
PREPARE p AS UPDATE watched SET w = 9; EXPLAIN ANALYZE EXECUTE p

PREPARE p (text) AS SELECT one_of($1); EXECUTE p ('b')

--: beyond hr.items, hr.departments, sales.items, public.holder, public.u, public.third: only explained
EXPLAIN (VERBOSE) SELECT many_ways(id) FROM items

--: beyond public.third: not run
DECLARE c CURSOR FOR SELECT many_ways(id) FROM hr.items; FETCH 1 FROM c; CLOSE c

--: unseen sales.items: not followed yet
DO $$ DECLARE v public.code2; BEGIN v := 'x'::text; PERFORM open_cursor(); END $$

--: beyond public.t: not run
DO $$ BEGIN CASE one_of('a') WHEN 1 THEN PERFORM FROM t; ELSE UPDATE u SET u = 'x'; END CASE; END $$

--: beyond public.t: not run
DO $$ DECLARE s text := (SELECT label FROM items LIMIT 1); BEGIN IF s = (SELECT max(label) FROM hr.items) THEN RAISE NOTICE '%', (SELECT count(*) FROM t); ELSIF hr.headcount(1) > 0 THEN RETURN; END IF; END $$

--: beyond public.third: not run
SET LOCAL search_path = hr, public; SELECT many_ways(1), public.by_path()

SET LOCAL search_path = sales, hr, public; SELECT * FROM items, departments, t; SELECT by_path_plpgsql()

-- section: through triggers, further
--: beyond sales.lines, audit.log, sales.line_notes: other columns
DELETE FROM sales.customers WHERE id = 3

--: beyond sales.lines, audit.log, sales.line_notes: other columns
UPDATE sales.customers SET id = 30 WHERE id = 3

--: beyond sales.lines, audit.log, sales.line_notes: other columns
UPDATE sales.orders SET customer_id = 1 WHERE id = 4

TRUNCATE hr.badges CASCADE

TRUNCATE hr.employees CASCADE

UPDATE base SET v = 'y'

DELETE FROM base

UPDATE ONLY base SET v = 'y'

DELETE FROM derived

INSERT INTO transitions VALUES (1)

UPDATE shards SET id = id + 100

--: beyond audit.log, audit.counts: other partition
UPDATE events SET kind = 'click' WHERE kind = 'odd'

DELETE FROM events WHERE kind = 'click'

INSERT INTO events (at, kind) SELECT '2025-01-01'::date + t, 'click' FROM t RETURNING *

--: beyond audit.log, audit.counts: not run
MERGE INTO events e USING t ON t.t = e.id WHEN MATCHED THEN UPDATE SET body = '{}' WHEN NOT MATCHED THEN INSERT (at, kind) VALUES ('2024-06-06', 'x')

--: beyond audit.counts: deferred
WITH a AS (INSERT INTO first VALUES (5) RETURNING id), b AS (DELETE FROM watched WHERE id = 1 RETURNING id) SELECT * FROM a, b

INSERT INTO event_notes SELECT id, at, kind, 'x' FROM events LIMIT 1

COPY events (at, kind) FROM PROGRAM 'printf "2025-07-07\\tclick\\n"'

COPY first FROM PROGRAM 'echo 9'

-- section: through policies, further
-- before: SET ROLE app
--: beyond public.grants: not run
SELECT * FROM notes_owned

SELECT * FROM notes_invoked

--: beyond public.grants: not run
UPDATE notes_invoked SET body = 'x'

--: beyond public.grants, hr.departments: not run
DELETE FROM notes_owned

SELECT t, (SELECT count(*) FROM notes) FROM t

INSERT INTO t SELECT id, 1 FROM notes

--: unseen hr.departments, audit.settings: not followed yet
MERGE INTO notes n USING t ON t.t = n.id AND n.owner = 'app' WHEN MATCHED THEN UPDATE SET body = 'm' WHEN NOT MATCHED THEN DO NOTHING

INSERT INTO notes VALUES (1, 'app', 'x') RETURNING body

CREATE TEMP TABLE mine AS SELECT * FROM notes
