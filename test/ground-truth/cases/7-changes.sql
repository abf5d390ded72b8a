-- section: through defaults, checks, generated columns
INSERT INTO with_default DEFAULT VALUES

INSERT INTO with_default (v) SELECT label FROM items

--: unseen audit.settings: not followed yet
INSERT INTO with_default VALUES (DEFAULT, 'limit', 'x')

UPDATE with_default SET id = DEFAULT

--: unseen audit.settings: not followed yet
UPDATE with_default SET setting = 'limit'

INSERT INTO with_check VALUES (2, 2)

UPDATE with_check SET item = 3

INSERT INTO with_generated VALUES (2)

UPDATE with_generated SET id = 3

INSERT INTO with_sequence (v) VALUES ('x')

INSERT INTO with_sequence (id, serial_id, v) SELECT 1, 2, 'x' FROM t

--: unseen public.items: not followed yet
INSERT INTO with_index VALUES (2, 2)

--: unseen public.items: not followed yet
UPDATE with_index SET item = 3

INSERT INTO users (name, email) VALUES ('x', 'y')

INSERT INTO holder (items) VALUES (3)

ALTER TABLE t ADD COLUMN a int DEFAULT next_item()

ALTER TABLE items ADD CHECK (label_of(id) IS NOT NULL)

--: unseen public.items: not followed yet
REINDEX TABLE with_index

--: unseen public.items: not followed yet
ANALYZE with_index

-- section: through rules
INSERT INTO ruled VALUES (2, 'b')

DELETE FROM ruled

UPDATE ruled SET v = 'c'

UPDATE ruled SET v = 'never'

INSERT INTO ruled SELECT t, 'x' FROM t

--: beyond public.items, audit.log: not run
COPY ruled FROM '/dev/null'

-- section: through triggers
INSERT INTO watched VALUES (3, 'c')

INSERT INTO watched SELECT id + 10, label FROM hr.items

--: beyond audit.log, hr.badge_uses: not run
INSERT INTO watched VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET w = 3

--: beyond hr.badge_uses: not run
UPDATE watched SET w = 1

--: beyond hr.badge_uses: not run
UPDATE watched SET v = 'z'

--: beyond audit.log: no rows
--: beyond audit.counts: deferred
DELETE FROM watched WHERE false

DELETE FROM watched; SET CONSTRAINTS ALL IMMEDIATE

TRUNCATE watched

--: beyond public.items, hr.badge_uses, audit.log: not run
MERGE INTO watched w USING t ON t.t = w.id WHEN MATCHED THEN UPDATE SET w = 2 WHEN NOT MATCHED THEN INSERT VALUES (t.t, 'x')

--: beyond audit.counts: deferred
MERGE INTO watched w USING t ON t.t = w.id WHEN MATCHED THEN DELETE

--: beyond audit.counts: deferred
WITH x AS (DELETE FROM watched RETURNING id) SELECT * FROM x

COPY watched (id, v) FROM PROGRAM 'printf "9\\tq\\n"'

--: beyond hr.badge_uses: not run
EXPLAIN ANALYZE UPDATE watched SET w = 5

PREPARE p AS INSERT INTO watched VALUES ($1, 'x'); EXECUTE p (44)

--: beyond audit.counts: other partition
INSERT INTO events (at, kind) VALUES ('2024-03-03', 'view')

INSERT INTO events (at, kind) VALUES ('2025-03-03', 'click')

INSERT INTO archive.events_2025_click (id, at, kind) OVERRIDING SYSTEM VALUE VALUES (100, '2025-03-03', 'click')

UPDATE events SET at = '2025-04-04', kind = 'click' WHERE at = '2030-01-01'

INSERT INTO first VALUES (2)

INSERT INTO second VALUES (2)

INSERT INTO opaque_one VALUES (1)

INSERT INTO sales.customers VALUES (9, 'Z', 'Zoe')

UPDATE inventory SET quantity = 1

INSERT INTO order_items VALUES (1, 2, 2, 1, 5)

UPDATE order_items SET quantity = 9

DELETE FROM order_items WHERE order_id = 1

--: beyond hr.badge_uses: not run
SELECT note(v) FROM watched; UPDATE watched SET v = v

-- section: through keys
DELETE FROM hr.departments WHERE id = 2

DELETE FROM hr.departments

UPDATE hr.departments SET id = 20 WHERE id = 1

UPDATE hr.departments SET name = 'x' WHERE id = 1

DELETE FROM hr.employees WHERE id = 1

--: beyond hr.badge_uses: no rows
UPDATE hr.employees SET id = 100 WHERE id = 4

--: beyond sales.lines, audit.log, sales.line_notes: other columns
DELETE FROM sales.customers WHERE id = 2

--: beyond sales.lines, audit.log, sales.line_notes: other columns
UPDATE sales.customers SET id = 20 WHERE id = 2

--: beyond sales.lines, audit.log, sales.line_notes: other columns
UPDATE sales.customers SET code = 'BB' WHERE id = 2

UPDATE sales.customers SET name = 'Bill' WHERE id = 2

DELETE FROM sales.orders WHERE id = 2

UPDATE sales.orders SET id = 20 WHERE id = 2

--: beyond sales.lines, audit.log, sales.line_notes: other columns
UPDATE sales.orders SET total = 0

DELETE FROM sales.lines WHERE sku = 's1'

DELETE FROM sales.refunds; DELETE FROM sales.invoices

DELETE FROM events WHERE id = 1

DELETE FROM events_2024

TRUNCATE hr.departments CASCADE

TRUNCATE sales.orders CASCADE

TRUNCATE events CASCADE

TRUNCATE users CASCADE

--: beyond public.sessions: no rows
DELETE FROM users WHERE id = 99

--: beyond public.inventory, public.reviews: no rows
DELETE FROM products WHERE id = 99

DELETE FROM orders WHERE id = 2

MERGE INTO hr.departments d USING t ON t.t = d.id WHEN MATCHED THEN DELETE

WITH gone AS (DELETE FROM sales.orders WHERE id = 3 RETURNING *) SELECT * FROM gone

INSERT INTO hr.employees (id, department_id, name) VALUES (30, 1, 'x')

UPDATE sales.codes SET name = 'b'

--: unseen hr.departments: not followed yet
UPDATE sales.made_codes SET name = 'B'

-- section: through policies
-- before: SET ROLE app
SELECT * FROM notes

SELECT count(*) FROM notes JOIN t ON t.t = notes.id

--: beyond public.grants: not run
INSERT INTO notes VALUES (9, 'app', 'x')

INSERT INTO notes (id) VALUES (9) RETURNING *

--: beyond public.grants: not run
UPDATE notes SET body = 'y'

--: beyond public.grants: not run
DELETE FROM notes

SELECT * FROM notes FOR UPDATE

SELECT * FROM notes WHERE id = 1

WITH x AS (UPDATE notes SET body = 'z' RETURNING *) SELECT * FROM x

TABLE notes

-- section: through policies as the owner
--: beyond *: not run
SELECT * FROM notes
