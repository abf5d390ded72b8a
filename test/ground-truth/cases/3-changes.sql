-- section: plain INSERT
INSERT INTO t VALUES (5, 6)

INSERT INTO t (t) VALUES (5), ((SELECT max(id) FROM items)), (DEFAULT)

INSERT INTO t DEFAULT VALUES

INSERT INTO t SELECT id, id FROM hr.items

INSERT INTO t TABLE t

INSERT INTO t AS x VALUES (1, 2) RETURNING x.t, (SELECT count(*) FROM u)

INSERT INTO "Items" VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET label = excluded.label WHERE "Items".label <> (SELECT min(label) FROM hr.items)

INSERT INTO items VALUES (1, 'x') ON CONFLICT DO NOTHING

INSERT INTO items AS i VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET label = (SELECT label FROM sales.items LIMIT 1) || i.label RETURNING (SELECT max(t) FROM t)

INSERT INTO items VALUES (1, 'x') ON CONFLICT ON CONSTRAINT items_pkey DO UPDATE SET (id, label) = (SELECT 1, name FROM hr.departments LIMIT 1)

INSERT INTO shards SELECT g, 'x' FROM generate_series(100, 110) g

INSERT INTO shards VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET v = excluded.v

INSERT INTO cars VALUES (9, 4, 5)

INSERT INTO "Odd Schema"."Mixed Case" ("Id", "select") VALUES (9, 1) RETURNING "Id"

INSERT INTO t (SELECT t, 1 FROM u UNION ALL SELECT id, 1 FROM items)

INSERT INTO hr.employees (id, department_id, name) SELECT 10 + d.id, d.id, 'x' FROM hr.departments d RETURNING *

INSERT INTO holder (items, departments) SELECT 2, d FROM hr.departments d

INSERT INTO sales.lines (order_id, line) VALUES (1, 9)

INSERT INTO payments (order_id, amount, method) SELECT id, total, 'card' FROM orders

INSERT INTO reviews (product_id, user_id, rating) VALUES (1, 1, 5) RETURNING id

INSERT INTO users (name, email) VALUES ('x', 'y') RETURNING *

INSERT INTO orders (user_id, status) VALUES (1, 'new') ON CONFLICT (id) DO NOTHING RETURNING id

-- section: plain UPDATE
UPDATE t SET u = 1

UPDATE t SET u = u + 1 WHERE t = 1 RETURNING *

UPDATE t AS x SET u = y.t FROM u AS y WHERE x.t = y.t

UPDATE t SET (t, u) = (SELECT id, id FROM items LIMIT 1)

UPDATE t SET u = (SELECT count(*) FROM hr.items) WHERE t IN (SELECT t FROM u) RETURNING (SELECT max(id) FROM sales.items)

UPDATE t SET u = 2 FROM t AS other JOIN u ON u.t = other.t WHERE other.t = t.t

UPDATE t u SET u = 3 FROM u t WHERE t.t = u.t

UPDATE ONLY vehicles SET wheels = 3

UPDATE vehicles SET wheels = 3

UPDATE shards SET v = 'x' WHERE id = 3

UPDATE holder SET departments.name = 'y', pair.items = (SELECT max(id) FROM items)

UPDATE holder SET tags[1] = (SELECT label FROM items LIMIT 1)

UPDATE t SET u = DEFAULT FROM LATERAL (SELECT * FROM u) AS x WHERE x.t = t.t

UPDATE t SET u = 1 FROM generate_series(1, 2) g, (VALUES (1)) AS v(a) WHERE t.t = g AND v.a = g

UPDATE hr.badges SET code = 'z' WHERE employee_id = 1

-- section: plain DELETE
DELETE FROM t

DELETE FROM t WHERE t = 1 RETURNING *, (SELECT 1 FROM u LIMIT 1)

DELETE FROM t USING u, items i WHERE u.t = t.t AND i.id = t.t

DELETE FROM t AS x USING t AS y WHERE x.t = y.t

DELETE FROM ONLY vehicles

DELETE FROM vehicles

DELETE FROM shards

DELETE FROM t WHERE t IN (SELECT id FROM items EXCEPT SELECT id FROM hr.items)

DELETE FROM t WHERE NOT EXISTS (SELECT FROM u JOIN items i ON i.id = u.t)

DELETE FROM payments WHERE order_id = 1

TRUNCATE t

TRUNCATE TABLE t, u RESTART IDENTITY

TRUNCATE ONLY vehicles

TRUNCATE vehicles

TRUNCATE shards CONTINUE IDENTITY

-- section: plain MERGE
MERGE INTO t USING u ON t.t = u.t WHEN MATCHED THEN UPDATE SET u = 1 WHEN NOT MATCHED THEN INSERT VALUES (u.t, 1)

MERGE INTO items AS i USING (SELECT * FROM hr.items WHERE id IN (SELECT id FROM sales.items)) AS s ON s.id = i.id WHEN MATCHED THEN DELETE

MERGE INTO t USING items i ON t.t = i.id AND EXISTS (SELECT FROM hr.departments) WHEN MATCHED AND i.label = (SELECT max(label) FROM sales.items) THEN DO NOTHING WHEN NOT MATCHED BY SOURCE THEN DELETE WHEN NOT MATCHED BY TARGET THEN INSERT (t) VALUES ((SELECT 7 FROM u LIMIT 1))

MERGE INTO ONLY vehicles v USING (VALUES (1)) s(id) ON s.id = v.id WHEN MATCHED THEN UPDATE SET wheels = 7 RETURNING merge_action(), v.*

WITH s AS (SELECT * FROM hr.items) MERGE INTO items USING s ON s.id = items.id WHEN MATCHED THEN UPDATE SET label = s.label RETURNING items.*, (SELECT 1 FROM u LIMIT 1)

WITH items AS (SELECT 1 AS id) MERGE INTO items USING items AS s ON s.id = items.id WHEN MATCHED THEN DO NOTHING

MERGE INTO shards s USING t ON s.id = t.t WHEN MATCHED THEN UPDATE SET v = 'm' WHEN NOT MATCHED THEN DO NOTHING

-- section: plain COPY, cursors, EXPLAIN, PREPARE
COPY items TO '/dev/null'

COPY hr.items (id) TO '/dev/null' WITH (FORMAT csv)

COPY (SELECT * FROM hr.items JOIN t ON t.t = id) TO '/dev/null'

COPY (DELETE FROM t RETURNING *) TO '/dev/null'

COPY (TABLE u) TO PROGRAM 'cat > /dev/null'

COPY t FROM '/dev/null'

COPY t (u) FROM PROGRAM 'echo 1'

COPY t FROM PROGRAM 'echo 1,2' WITH (FORMAT csv) WHERE t > 0

COPY shards FROM '/dev/null'

DECLARE c CURSOR FOR SELECT * FROM hr.items; FETCH 1 FROM c; MOVE NEXT c; CLOSE c

DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT * FROM t, u; FETCH ALL c

DECLARE c CURSOR FOR SELECT * FROM t FOR UPDATE; FETCH c; UPDATE t SET u = 1 WHERE CURRENT OF c

DECLARE c BINARY INSENSITIVE NO SCROLL CURSOR FOR WITH x AS (SELECT * FROM items) SELECT * FROM x

EXPLAIN SELECT * FROM hr.items

EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM t JOIN u USING (t)

EXPLAIN ANALYZE UPDATE t SET u = 1 WHERE t IN (SELECT id FROM items)

EXPLAIN (COSTS off) INSERT INTO t SELECT id, id FROM hr.items

EXPLAIN DELETE FROM t

--: beyond ?.made, public.made: only explained
EXPLAIN CREATE TABLE made AS SELECT * FROM t

EXPLAIN ANALYZE CREATE TABLE made AS SELECT * FROM t

EXPLAIN DECLARE c CURSOR FOR SELECT * FROM u

PREPARE p AS SELECT * FROM hr.items; EXECUTE p

PREPARE p (int) AS UPDATE t SET u = $1 WHERE t IN (SELECT t FROM u); EXECUTE p (3)

PREPARE p AS SELECT 1; EXPLAIN EXECUTE p

PREPARE p AS INSERT INTO t SELECT id, $1 FROM items; EXPLAIN ANALYZE EXECUTE p (1); DEALLOCATE p

PREPARE p (int) AS SELECT $1; EXECUTE p (1 + 1); EXECUTE p (length('items'))

-- section: plain sequences
SELECT nextval('ticket')

SELECT nextval('public.ticket'::regclass)

SELECT setval('public.ticket', (SELECT max(id) FROM items))

SELECT nextval('ticket'), currval('ticket'), lastval()

SELECT nextval('orders_id_seq')

SELECT last_value FROM ticket

SELECT last_value, is_called FROM public.users_id_seq

SELECT nextval(pg_get_serial_sequence('users', 'id'))

SELECT setval(pg_get_serial_sequence('public.users', 'id'), coalesce((SELECT max(id) FROM users), 1))

INSERT INTO items VALUES (nextval('hr.badge_no') + 1000, 'x')

SELECT id, nextval('ticket') FROM items
