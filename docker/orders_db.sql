-- The orders domain in a database of its own: users and products are only numbers here.
CREATE TABLE orders (id serial PRIMARY KEY, user_id int NOT NULL, placed_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE order_items (
  order_id int NOT NULL REFERENCES orders,
  product_id int NOT NULL,
  quantity int NOT NULL,
  PRIMARY KEY (order_id, product_id)
);
INSERT INTO orders (user_id) SELECT 1 + n % 100 FROM generate_series(1, 500) n;
INSERT INTO order_items SELECT n, 1 + n % 50, 1 + n % 3 FROM generate_series(1, 500) n;
