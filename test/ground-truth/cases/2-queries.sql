-- section: plain WITH
WITH x AS (SELECT * FROM items) SELECT * FROM x

WITH items AS (SELECT * FROM hr.items) SELECT * FROM items

WITH items AS (SELECT * FROM items) SELECT * FROM items

WITH items AS (SELECT 1 AS id) SELECT * FROM public.items AS p, items

WITH a AS (SELECT * FROM t), b AS (SELECT * FROM a) SELECT * FROM b

WITH b AS (SELECT * FROM t), t AS (SELECT * FROM u) SELECT * FROM b, t

WITH t AS (SELECT * FROM u), u AS (SELECT * FROM t) SELECT * FROM u

WITH RECURSIVE u AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM u WHERE n < 3) SELECT * FROM u

WITH RECURSIVE t AS (SELECT t FROM u UNION SELECT t FROM t) SELECT * FROM t

WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a

WITH a AS (WITH t AS (SELECT * FROM u) SELECT * FROM t) SELECT * FROM a, t

WITH t AS (SELECT 1) SELECT * FROM (WITH u AS (SELECT * FROM t) SELECT * FROM u) x

WITH t AS (SELECT 1 AS t) SELECT * FROM items WHERE id IN (SELECT t FROM t)

SELECT * FROM (WITH t AS (SELECT 1) SELECT * FROM t) x, t

SELECT * FROM t WHERE t IN (WITH u AS (SELECT 1 AS t) SELECT t FROM u)

SELECT * FROM t, u WHERE t.t IN (WITH u AS (SELECT 1 AS t) SELECT t FROM u)

WITH t AS (SELECT 1) SELECT * FROM items UNION ALL SELECT 1, 'x' FROM t

(WITH t AS (SELECT 1 AS a) SELECT * FROM t) UNION ALL SELECT t FROM t

SELECT t FROM t UNION (WITH t AS (SELECT 1 AS a) SELECT a FROM t)

WITH t AS (SELECT 1 AS t, 2 AS u) INSERT INTO t SELECT * FROM t

WITH t AS (SELECT 1 AS t) UPDATE t SET u = 3 WHERE t IN (SELECT t FROM t)

WITH t AS (SELECT 1 AS x) DELETE FROM t USING u WHERE u.t = t.t

WITH t AS (SELECT 1 AS x) DELETE FROM u USING t WHERE t.x = u.t

WITH t AS (SELECT 1 AS x) UPDATE u SET u = 'x' FROM t WHERE t.x = u.t

WITH moved AS (DELETE FROM hr.items RETURNING *) INSERT INTO items SELECT id + 50, label FROM moved

WITH a AS (UPDATE t SET u = 9 RETURNING *), b AS (INSERT INTO u SELECT t, 'x' FROM a RETURNING *) SELECT * FROM b

WITH items AS (DELETE FROM items RETURNING id) SELECT * FROM items

WITH items AS (INSERT INTO hr.items VALUES (77, 'x') RETURNING id) DELETE FROM items WHERE id = 77

WITH a AS (MERGE INTO t USING u ON t.t = u.t WHEN MATCHED THEN UPDATE SET u = 1 RETURNING t.t) SELECT * FROM a

INSERT INTO t WITH u AS (SELECT 1, 2) SELECT * FROM u

INSERT INTO t WITH t AS (SELECT 5, 6) SELECT * FROM t

INSERT INTO t (WITH x AS (SELECT * FROM hr.departments) SELECT id, id FROM x)

WITH x AS MATERIALIZED (SELECT * FROM hr.items), y AS NOT MATERIALIZED (SELECT * FROM x) SELECT * FROM y

WITH unused AS (SELECT * FROM hr.items) SELECT 1

WITH a(x, y) AS (SELECT * FROM t) SELECT x FROM a

WITH RECURSIVE s(id, boss) AS (
  SELECT id, manager_id FROM hr.employees WHERE manager_id IS NULL
  UNION ALL SELECT e.id, e.manager_id FROM hr.employees e JOIN s ON s.id = e.manager_id
) SEARCH DEPTH FIRST BY id SET o CYCLE id SET c USING p SELECT * FROM s ORDER BY o

WITH hr AS (SELECT 1) SELECT * FROM hr.items

WITH "Items" AS (SELECT 1) SELECT * FROM items

WITH ITEMS AS (SELECT 1) SELECT * FROM Items

WITH u AS (VALUES (1), (2)) SELECT * FROM u JOIN t ON t.t = u.column1

WITH t AS (SELECT 1), x AS (SELECT * FROM public.t) SELECT * FROM x

WITH t AS (SELECT 1 AS t) SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM u)

WITH t AS (SELECT 1 AS t) SELECT * FROM u, LATERAL (SELECT * FROM t WHERE t.t = u.t) x

WITH t AS (SELECT 1 AS t) SELECT * FROM u WHERE EXISTS (WITH u AS (SELECT * FROM t) SELECT * FROM u)

WITH x AS (SELECT * FROM t FOR UPDATE) SELECT * FROM x

WITH x AS (SELECT * FROM t) SELECT * FROM x, u FOR UPDATE OF u

WITH a AS (SELECT 1 AS n) SELECT * FROM (WITH b AS (SELECT * FROM t) SELECT * FROM a, b) x ORDER BY 1

-- section: plain sub-selects
SELECT (SELECT max(id) FROM hr.items)

SELECT (SELECT count(*) FROM u WHERE u.t = t.t) FROM t

SELECT * FROM t WHERE EXISTS (SELECT FROM u)

SELECT * FROM t WHERE t NOT IN (SELECT t FROM u)

SELECT * FROM t WHERE t = ANY (SELECT id FROM hr.items)

SELECT * FROM t WHERE (t, u) = (SELECT id, id FROM hr.items LIMIT 1)

SELECT * FROM t WHERE t > ALL (ARRAY(SELECT id FROM hr.items WHERE id < 0))

SELECT ARRAY(SELECT label FROM sales.items)

SELECT CASE WHEN EXISTS (SELECT FROM t) THEN (SELECT max(t) FROM u) ELSE (SELECT max(id) FROM items) END

SELECT coalesce((SELECT max(id) FROM hr.items), (SELECT max(id) FROM items), 0)

SELECT greatest((SELECT 1 FROM t LIMIT 1), 2)

SELECT ROW ((SELECT max(t) FROM t), 2)

SELECT * FROM t ORDER BY (SELECT max(id) FROM hr.items)

SELECT * FROM t LIMIT (SELECT count(*) FROM items) OFFSET (SELECT min(id) - 1 FROM hr.items)

SELECT * FROM t FETCH FIRST (SELECT 1 FROM sales.items LIMIT 1) ROWS ONLY

SELECT count(*) FROM t GROUP BY u + (SELECT max(id) FROM items)

SELECT t FROM t GROUP BY t HAVING count(*) > (SELECT count(*) FROM hr.badges) - 3

SELECT count(*) FILTER (WHERE t IN (SELECT id FROM items)) FROM t

SELECT array_agg(t ORDER BY (SELECT max(id) FROM items)) FROM t

SELECT percentile_cont((SELECT 0.5 FROM items LIMIT 1)) WITHIN GROUP (ORDER BY t) FROM t

SELECT sum(t) OVER (PARTITION BY (SELECT max(id) FROM items) ORDER BY u ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t

SELECT sum(t) OVER w FROM t WINDOW w AS (ORDER BY (SELECT count(*) FROM hr.items))

SELECT rank() OVER (ORDER BY t RANGE BETWEEN UNBOUNDED PRECEDING AND (SELECT 1 FROM items LIMIT 1) FOLLOWING) FROM t

SELECT DISTINCT ON ((SELECT max(id) FROM items)) t FROM t

VALUES ((SELECT max(id) FROM items)), ((SELECT max(id) FROM hr.items))

SELECT * FROM (VALUES ((SELECT max(t) FROM t)), (2)) AS v(x)

SELECT * FROM (SELECT * FROM (SELECT * FROM hr.departments) a) b

SELECT * FROM t JOIN (SELECT id FROM hr.items) i ON i.id = t.t AND EXISTS (SELECT FROM sales.items)

SELECT ((SELECT array_agg(id) FROM items))[(SELECT 1 FROM t LIMIT 1)]

SELECT (SELECT i FROM items i LIMIT 1).label

SELECT t BETWEEN (SELECT 0 FROM items LIMIT 1) AND (SELECT 9 FROM hr.items LIMIT 1) FROM t

SELECT label LIKE (SELECT label FROM hr.items LIMIT 1) || '%' FROM items

SELECT (SELECT 1 FROM items LIMIT 1) IS DISTINCT FROM (SELECT 1 FROM hr.items LIMIT 1)

SELECT (SELECT label FROM items LIMIT 1) COLLATE "C" IS NOT NULL

SELECT (SELECT now() FROM items LIMIT 1) AT TIME ZONE (SELECT 'UTC' FROM hr.items LIMIT 1)

SELECT extract(epoch FROM (SELECT hired FROM hr.employees LIMIT 1))

SELECT overlay((SELECT label FROM items LIMIT 1) PLACING 'x' FROM 1)

SELECT CAST((SELECT max(id) FROM items) AS text)

SELECT NULLIF((SELECT 1 FROM items LIMIT 1), (SELECT 2 FROM hr.items LIMIT 1))

-- section: plain FROM
SELECT * FROM items, hr.items AS b, sales.items AS c

SELECT * FROM t LEFT JOIN u USING (t)

SELECT * FROM t FULL JOIN u ON t.t = u.t AND u.u > ''

SELECT * FROM t CROSS JOIN LATERAL (SELECT * FROM u WHERE u.t = t.t) x

SELECT * FROM t, LATERAL (SELECT * FROM items WHERE id = t.t LIMIT 1) x, LATERAL generate_series(1, x.id) g

SELECT * FROM generate_series(1, (SELECT max(id) FROM items)) g

SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY(SELECT id FROM hr.items))) WITH ORDINALITY AS x(a, b, c)

SELECT * FROM items TABLESAMPLE BERNOULLI (50)

SELECT * FROM items AS i TABLESAMPLE SYSTEM ((SELECT 100 FROM t LIMIT 1)) REPEATABLE (7)

SELECT * FROM ONLY vehicles

SELECT * FROM ONLY (vehicles)

SELECT * FROM vehicles

SELECT * FROM vehicles *

SELECT * FROM cars

SELECT * FROM boats

SELECT * FROM events WHERE at = '2024-05-01'

SELECT * FROM events

SELECT * FROM ONLY events

SELECT * FROM archive.events_2025

SELECT * FROM archive.events_2025_click

SELECT * FROM events_2024 a JOIN events b USING (id)

SELECT * FROM shards WHERE id = 3

SELECT count(*) FROM shards

SELECT * FROM jsonb_to_recordset((SELECT docs FROM holder)) AS x(id int, name text)

SELECT * FROM holder, jsonb_array_elements(docs) AS d

SELECT * FROM holder, JSON_TABLE(docs, '$[*]' COLUMNS (id int PATH '$.id', name text PATH '$.name')) AS items

SELECT * FROM JSON_TABLE((SELECT docs FROM holder LIMIT 1), '$[*]' COLUMNS (id int)) AS j JOIN items USING (id)

SELECT * FROM holder, XMLTABLE('/r/i' PASSING doc COLUMNS id int PATH '@id') AS items

SELECT * FROM XMLTABLE('/r/i' PASSING (SELECT doc FROM holder) COLUMNS id int PATH '@id' DEFAULT (SELECT 1 FROM t LIMIT 1)) x

SELECT JSON_ARRAY(SELECT id FROM items ORDER BY id)

SELECT JSON_OBJECT('k': (SELECT max(id) FROM items)), JSON_ARRAYAGG(t) FROM t

SELECT JSON_VALUE(docs, '$[0].id' RETURNING int DEFAULT length('items') ON EMPTY) FROM holder

SELECT JSON_EXISTS((SELECT docs FROM holder), '$[0]')

SELECT docs -> 0 ->> 'name', docs @> '[{"id": 1}]', docs #>> '{0,id}' FROM holder

SELECT xmlelement(name r, (SELECT xmlagg(xmlelement(name i, label)) FROM items))

SELECT xmlforest(label, id) FROM hr.items

SELECT * FROM t UNION SELECT id, id FROM items EXCEPT SELECT id, id FROM hr.items INTERSECT SELECT id, id FROM sales.items

(SELECT t FROM t ORDER BY 1 LIMIT 1) UNION ALL (SELECT id FROM items) ORDER BY 1

SELECT * FROM ((SELECT 1 FROM t) UNION (SELECT 2 FROM u)) x

SELECT department_id, manager_id, count(*), grouping(department_id) FROM hr.employees GROUP BY GROUPING SETS ((department_id), (manager_id), ())

SELECT department_id, count(*) FROM hr.employees GROUP BY ROLLUP (department_id)

SELECT department_id, count(*) FROM hr.employees GROUP BY CUBE (department_id, manager_id) HAVING count(*) > (SELECT 0 FROM items LIMIT 1)

SELECT name, lag(salary) OVER w, first_value(name) OVER (w ROWS UNBOUNDED PRECEDING) FROM hr.employees WINDOW w AS (PARTITION BY department_id ORDER BY salary)

SELECT sum(salary) OVER (ORDER BY hired GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES) FROM hr.employees

SELECT d.* FROM hr.departments d LEFT JOIN hr.badges b ON false

SELECT e.* FROM hr.employees e LEFT JOIN hr.departments d ON d.id = e.department_id

SELECT * FROM items WHERE false

SELECT * FROM items WHERE 1 = 0 AND id IN (SELECT id FROM hr.items)

SELECT pg_sleep(0) FROM items LIMIT 0

SELECT id OPERATOR(pg_catalog.+) 1 FROM items WHERE id OPERATOR(pg_catalog.=) ANY (SELECT id FROM hr.items)

SELECT * FROM items i WHERE i.ctid = '(0,1)'

SELECT 1 WHERE EXISTS (SELECT FROM items)

SELECT FROM items

SELECT count(*) FROM users u JOIN orders o ON o.user_id = u.id JOIN order_items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id

SELECT p.sku, sum(i.quantity * i.price) AS revenue, rank() OVER (ORDER BY sum(i.quantity) DESC)
FROM products p JOIN order_items i ON i.product_id = p.id JOIN orders o ON o.id = i.order_id AND o.status <> 'cancelled'
WHERE o.placed_at >= now() - interval '1 year' AND p.id NOT IN (SELECT product_id FROM reviews WHERE rating = 1)
GROUP BY p.sku HAVING sum(i.quantity) > 0 ORDER BY revenue DESC NULLS LAST LIMIT 10

SELECT u.*, s.n FROM users u LEFT JOIN (SELECT user_id, count(*) AS n FROM sessions GROUP BY user_id) s ON s.user_id = u.id

SELECT o.id, (SELECT json_agg(p ORDER BY p.id) FROM payments p WHERE p.order_id = o.id) FROM orders o WHERE o.id = 1

SELECT * FROM inventory i WHERE (i.product_id, i.quantity) IN (SELECT product_id, max(quantity) FROM order_items GROUP BY 1)

-- section: plain row locks
SELECT * FROM t FOR UPDATE

SELECT * FROM t FOR NO KEY UPDATE NOWAIT

SELECT * FROM t FOR SHARE SKIP LOCKED

SELECT * FROM t FOR KEY SHARE

SELECT * FROM t, u FOR UPDATE OF t

SELECT * FROM t AS u, u AS t WHERE u.t = t.t FOR UPDATE OF t

SELECT * FROM t a JOIN u b USING (t) FOR UPDATE OF a FOR SHARE OF b

SELECT * FROM (SELECT * FROM t) t, u FOR UPDATE OF t

SELECT * FROM t, (SELECT * FROM u, items) x FOR UPDATE

SELECT * FROM t WHERE t IN (SELECT t FROM u FOR UPDATE)

SELECT * FROM t LEFT JOIN u USING (t) FOR UPDATE OF t

SELECT * FROM hr.items AS t FOR UPDATE OF t

SELECT * FROM items, LATERAL (SELECT * FROM hr.items h WHERE h.id = items.id FOR UPDATE) x

SELECT * FROM events WHERE at > '2025-01-01' FOR UPDATE

SELECT * FROM vehicles FOR SHARE

SELECT * FROM ONLY vehicles FOR SHARE

SELECT * FROM t, items TABLESAMPLE BERNOULLI (50) FOR UPDATE

(SELECT * FROM t) UNION ALL SELECT * FROM (SELECT id, id AS n FROM items FOR SHARE) x

SELECT id FROM hr.items ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED

WITH next AS (SELECT id FROM hr.items ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) UPDATE hr.items i SET label = 'x' FROM next WHERE i.id = next.id RETURNING i.*

LOCK TABLE t

LOCK TABLE t, ONLY vehicles IN ACCESS SHARE MODE

LOCK t IN ROW SHARE MODE

LOCK TABLE hr.items IN ROW EXCLUSIVE MODE NOWAIT

LOCK TABLE hr.items IN SHARE MODE

LOCK TABLE hr.items IN EXCLUSIVE MODE

LOCK TABLE vehicles IN SHARE ROW EXCLUSIVE MODE

LOCK TABLE events IN ACCESS EXCLUSIVE MODE
