-- section: through views
SELECT * FROM staff

SELECT * FROM staff_count

SELECT * FROM public.staff s JOIN hr.badges b ON b.employee_id = s.id

SELECT * FROM rich_sales

SELECT * FROM cheap

SELECT * FROM hr.items_view

SELECT * FROM by_function

SELECT * FROM from_function

SELECT * FROM all_items

SELECT * FROM with_cte

SELECT * FROM event_view

SELECT * FROM invoker

SELECT * FROM chain

--: beyond sales.orders: materialized
SELECT * FROM totals

--: beyond sales.orders: materialized
SELECT * FROM over_mat

SELECT * FROM "Odd Schema"."A View"

SELECT * FROM product_ratings

SELECT * FROM settings_view

TABLE staff

SELECT staff FROM staff

WITH staff AS (SELECT * FROM t) SELECT * FROM staff

WITH x AS (SELECT * FROM staff) SELECT * FROM x WHERE id IN (SELECT id FROM rich)

SELECT * FROM t WHERE EXISTS (SELECT FROM staff_count WHERE n > t.t)

SELECT (SELECT count(*) FROM all_items)

SELECT * FROM rich FOR UPDATE

SELECT * FROM rich r JOIN t ON t.t = r.id FOR UPDATE OF r

SELECT * FROM rich r JOIN t ON t.t = r.id FOR UPDATE OF t

SELECT * FROM staff FOR SHARE

SELECT * FROM rich_sales FOR NO KEY UPDATE

LOCK TABLE rich IN ACCESS SHARE MODE

--: only-read hr.departments, hr.employees: locked as read
LOCK TABLE staff IN SHARE MODE

--: only-read hr.employees, public.rich: locked as read
LOCK TABLE rich_sales

COPY (SELECT * FROM staff) TO '/dev/null'

EXPLAIN SELECT * FROM staff_count

EXPLAIN ANALYZE SELECT * FROM by_function

DECLARE c CURSOR FOR SELECT * FROM staff; FETCH ALL c

PREPARE p AS SELECT * FROM staff_count; EXECUTE p

CREATE TABLE made AS SELECT * FROM staff

SELECT * INTO made FROM by_function

CREATE VIEW made AS SELECT * FROM staff_count; SELECT * FROM made

CREATE TEMP VIEW made AS SELECT * FROM staff; SELECT * FROM made

INSERT INTO t SELECT id, 1 FROM rich

UPDATE t SET u = (SELECT count(*) FROM staff)

DELETE FROM t USING rich_sales r WHERE r.id = t.t

CREATE MATERIALIZED VIEW made AS SELECT * FROM staff

REFRESH MATERIALIZED VIEW totals

REFRESH MATERIALIZED VIEW CONCURRENTLY totals

--: beyond public.staff, hr.departments, hr.employees: materialized
REFRESH MATERIALIZED VIEW staff_mat WITH NO DATA

REFRESH MATERIALIZED VIEW staff_mat

-- section: through views that are written
INSERT INTO rich (id, department_id, name, salary) VALUES (50, 1, 'x', 9000)

--: beyond hr.badges, hr.badge_uses: other columns
UPDATE rich SET salary = salary + 1

DELETE FROM rich WHERE id = 3

--: beyond hr.badges, hr.badge_uses: other columns
UPDATE rich SET name = 'y' WHERE id = 1 RETURNING *

INSERT INTO rich_sales (id, department_id, name, salary) VALUES (50, 1, 'x', 9000)

--: beyond hr.badges, hr.badge_uses: other columns
UPDATE rich_sales SET salary = salary + 1 FROM t WHERE t.t = rich_sales.id

--: beyond sales.lines, audit.log, sales.line_notes, audit.counts: other columns
UPDATE cheap SET total = 1

DELETE FROM cheap WHERE id = 2

INSERT INTO hr.items_view VALUES (60, 'x') ON CONFLICT (id) DO UPDATE SET label = excluded.label

MERGE INTO hr.items_view v USING t ON v.id = t.t WHEN MATCHED THEN UPDATE SET label = 'm' WHEN NOT MATCHED THEN INSERT VALUES (t.t, 'n')

MERGE INTO rich r USING items i ON i.id = r.id WHEN MATCHED THEN DELETE

--: beyond hr.badges, hr.badge_uses: not run
INSERT INTO staff (id, name, department) VALUES (90, 'x', 'Law')

--: beyond hr.badges, hr.badge_uses: not run
UPDATE staff SET name = 'y' WHERE id = 1

--: beyond hr.badge_uses: no rows
DELETE FROM staff WHERE id = 4

--: beyond hr.badges, hr.badge_uses: not run
MERGE INTO staff s USING t ON t.t = s.id WHEN MATCHED THEN UPDATE SET name = 'z'

INSERT INTO settings_view VALUES ('a', 'b')

UPDATE settings_view SET value = 'x'

--: beyond audit.settings: not run
DELETE FROM settings_view

INSERT INTO "Odd Schema"."A View" VALUES (77)

INSERT INTO event_view (at, kind) VALUES ('2025-02-02', 'click')

--: beyond hr.badges, hr.badge_uses: other columns
WITH x AS (UPDATE rich SET salary = 5000 RETURNING id) SELECT * FROM x

--: beyond hr.badges, hr.badge_uses: not run
COPY staff (id, name, department) FROM PROGRAM 'printf "91\\tq\\tLaw\\n"'
