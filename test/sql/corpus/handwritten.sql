SELECT u.id, u.email, count(o.id) AS orders FROM users u LEFT JOIN orders o ON o.user_id = u.id WHERE u.created_at > now() - interval '30 days' GROUP BY u.id, u.email HAVING count(o.id) > 2 ORDER BY 3 DESC LIMIT 10
SELECT * FROM users, LATERAL (SELECT * FROM orders WHERE orders.user_id = users.id ORDER BY id DESC LIMIT 3) recent
SELECT p.*, (SELECT avg(r.stars) FROM reviews r WHERE r.product_id = p.id) AS stars FROM products p WHERE p.id = ANY ('{1,2,3}'::int[])
SELECT id FROM products WHERE tags @> ARRAY['sale'] AND data->>'color' = 'red' AND data #>> '{size,unit}' <> 'cm'
SELECT id, sum(total) OVER (PARTITION BY user_id ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM orders
WITH RECURSIVE tree AS (SELECT id, parent_id, 1 AS depth FROM categories WHERE parent_id IS NULL UNION ALL SELECT c.id, c.parent_id, t.depth + 1 FROM categories c JOIN tree t ON t.id = c.parent_id) SELECT * FROM tree ORDER BY depth
WITH o AS (SELECT * FROM orders WHERE state = 'open'), i AS (SELECT * FROM order_items WHERE order_id IN (SELECT id FROM o)) SELECT o.id, i.sku FROM o JOIN i ON i.order_id = o.id
WITH paid AS (UPDATE orders SET state = 'paid' WHERE id = 12 RETURNING id, user_id) INSERT INTO payments (order_id, user_id) SELECT id, user_id FROM paid
INSERT INTO "Order Items" ("Order Id", sku) VALUES (1, 'a'), (2, 'b') ON CONFLICT ("Order Id") DO UPDATE SET sku = excluded.sku WHERE "Order Items".sku <> excluded.sku RETURNING *
INSERT INTO audit.log (at, who, what) SELECT now(), current_user, 'x' FROM shop.orders WHERE id = 5
INSERT INTO sessions (id, token) VALUES (DEFAULT, md5(random()::text)) RETURNING id
UPDATE inventory i SET qty = i.qty - l.qty FROM order_items l WHERE l.order_id = 7 AND l.product_id = i.product_id
UPDATE orders SET (state, updated_at) = ('shipped', now()) WHERE id IN (SELECT order_id FROM payments WHERE ok)
DELETE FROM sessions USING users WHERE users.id = sessions.user_id AND users.deleted
DELETE FROM sessions WHERE expires_at < now() - interval '1 hour' RETURNING id
SELECT * FROM orders WHERE id = 3 FOR UPDATE SKIP LOCKED
SELECT o.* FROM orders o JOIN users u ON u.id = o.user_id FOR NO KEY UPDATE OF o
MERGE INTO inventory t USING deliveries s ON s.product_id = t.product_id WHEN MATCHED THEN UPDATE SET qty = t.qty + s.qty WHEN NOT MATCHED THEN INSERT (product_id, qty) VALUES (s.product_id, s.qty)
COPY orders (id, state) FROM STDIN WITH (FORMAT csv)
COPY (SELECT * FROM orders WHERE created_at >= '2024-01-01') TO STDOUT
SELECT a.id FROM a UNION SELECT b.id FROM b EXCEPT (SELECT c.id FROM c INTERSECT SELECT d.id FROM d)
SELECT DISTINCT ON (user_id) user_id, id FROM orders ORDER BY user_id, id DESC
SELECT coalesce(nullif(trim(name), ''), 'none'), extract(epoch FROM at), at AT TIME ZONE 'UTC', position('a' IN name) FROM users
SELECT CASE WHEN total > 100 THEN 'big' WHEN total IS NULL THEN 'none' ELSE 'small' END FROM orders
SELECT count(*) FILTER (WHERE state = 'open'), array_agg(id ORDER BY id), string_agg(DISTINCT state, ', ') FROM orders
SELECT * FROM generate_series(1, 10) g(n) LEFT JOIN orders ON orders.id = g.n
SELECT * FROM json_array_elements_text('["a"]') WITH ORDINALITY
SELECT (o).id, (o.addr).street FROM orders o
SELECT x'1F', b'101', E'tab\there', $$dollar 'quoted'$$, $tag$a $$ b$tag$, 1e10, .5, 0.25, 'it''s'
SELECT /* traceparent='00-abc-01' */ id -- trailing 'comment'
SELECT 'a' AS "select", 1 AS "from" FROM "group" WHERE "order" = 'by' AND "a""b" = 'c'
SELECT * FROM orders o WHERE (o.a, o.b) IN ((1, 2), (3, 4)) AND o.c BETWEEN SYMMETRIC 9 AND 1 AND o.d IS NOT DISTINCT FROM NULL
SELECT * FROM orders WHERE name LIKE 'a!_%' ESCAPE '!' AND name ~* '^x' AND NOT name SIMILAR TO '(a|b)%'
SELECT * FROM orders WHERE at > date '2024-01-01' AND at < timestamp '2024-02-01 00:00' + interval '1' day
SELECT grouping(a), a, b, sum(c) FROM sales GROUP BY GROUPING SETS ((a, b), (a), ())
VALUES (1, 'one'), (2, 'two')
TABLE users
SELECT nextval('orders_id_seq'), currval('orders_id_seq')
SELECT set_config('app.user', '42', true)
SELECT pg_advisory_xact_lock(42)
CREATE TABLE orders (id serial PRIMARY KEY, user_id int NOT NULL REFERENCES users (id), total numeric(10, 2) DEFAULT 0)
CREATE INDEX orders_user ON orders (user_id) WHERE state = 'open'
ALTER TABLE orders ADD COLUMN note text
DROP TABLE IF EXISTS old_orders, shop.older_orders
CREATE VIEW open_orders AS SELECT * FROM orders WHERE state = 'open'
TRUNCATE TABLE sessions
BEGIN
COMMIT
SET search_path TO shop, public
EXPLAIN ANALYZE SELECT * FROM orders
DECLARE c CURSOR FOR SELECT * FROM orders
FETCH 100 FROM c
SAVEPOINT a
LISTEN orders_changed
