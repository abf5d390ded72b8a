/**
 * The rows of the sample shop, made by the server itself. They are the same on every machine and in
 * both databases: what looks random comes from md5 of the row's number.
 */

const FIRST_NAMES = 'Ada,Ben,Cleo,Dora,Emil,Fay,Gus,Hana,Ivo,Jade,Kofi,Lena,Milo,Nora,Omar,Pia,Quinn,Rosa,Sven,Tara';
const LAST_NAMES = 'Abel,Berg,Costa,Diaz,Evans,Fischer,Garcia,Haas,Ito,Jansen,Khan,Lopez,Moreau,Novak,Okafor,Park';
const QUALITIES = 'Small,Large,Blue,Green,Oak,Steel,Linen,Glass,Folding,Plain';
const THINGS = 'Teapot,Lamp,Chair,Desk,Kettle,Blanket,Mirror,Shelf,Clock,Basket,Mug,Tray,Vase,Stool,Rug,Bowl,Jug,Bench';

/** Temporary helpers: pick(seed, n) gives 0 .. n-1, word(list, seed) one word of a list. */
export const HELPERS = `
CREATE FUNCTION pg_temp.pick(seed text, n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS
  $$ SELECT ('x' || substr(md5(seed), 1, 7))::bit(28)::integer % n $$;
CREATE FUNCTION pg_temp.word(list text, seed text) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT w[1 + pg_temp.pick(seed, cardinality(w))] FROM string_to_array(list, ',') AS w $$;
`;

export const USERS = 500;
export const PRODUCTS = 180;
/** Orders on the day when the domain moved; the monolith's old copy ends there. */
export const ORDERS_BEFORE_MOVE = 2000;
/** Orders in orders_db, which has taken the new ones since. */
export const ORDERS_NOW = 2100;

export const MONOLITH_ROWS = `
INSERT INTO users (name, email, created_at)
SELECT first || ' ' || last, lower(first || '.' || last || g || '@example.org'),
       timestamptz '2024-01-01 08:00+00' + g * interval '17 hours'
FROM generate_series(1, ${USERS}) AS g,
     LATERAL (SELECT pg_temp.word('${FIRST_NAMES}', 'first' || g) AS first,
                     pg_temp.word('${LAST_NAMES}', 'last' || g) AS last) AS n;

INSERT INTO sessions (user_id, device, started_at, ended_at)
SELECT 1 + pg_temp.pick('session' || g, ${USERS}), pg_temp.word('phone,laptop,tablet', 'device' || g), t,
       CASE WHEN pg_temp.pick('open' || g, 5) > 0 THEN t + interval '9 minutes' END
FROM generate_series(1, 1200) AS g,
     LATERAL (SELECT timestamptz '2025-01-01 06:00+00' + g * interval '41 minutes' AS t) AS s;

INSERT INTO products (sku, name, price)
SELECT 'P-' || lpad(g::text, 4, '0'),
       pg_temp.word('${QUALITIES}', 'quality' || g) || ' ' || (string_to_array('${THINGS}', ','))[1 + g % 18],
       (490 + pg_temp.pick('price' || g, 9500)) / 100.0
FROM generate_series(1, ${PRODUCTS}) AS g;

INSERT INTO inventory (product_id, quantity, updated_at)
SELECT id, pg_temp.pick('stock' || id, 250), timestamptz '2025-02-01 00:00+00' FROM products;

INSERT INTO reviews (product_id, user_id, rating, body, created_at)
SELECT 1 + pg_temp.pick('rp' || g, ${PRODUCTS}), 1 + pg_temp.pick('ru' || g, ${USERS}), 5 - pg_temp.pick('stars' || g, 4),
       pg_temp.word('Just what I needed.,Arrived quickly.,Smaller than I thought.,Would buy again.,Fine.', 'body' || g),
       timestamptz '2025-01-05 12:00+00' + g * interval '53 minutes'
FROM generate_series(1, 900) AS g;

INSERT INTO carriers (name) SELECT unnest(string_to_array('Northern Post,Quick Parcel,Bike & Co', ','));

INSERT INTO shipments (order_id, carrier_id, tracking_code, sent_at)
SELECT g, 1 + pg_temp.pick('carrier' || g, 3), 'T' || upper(substr(md5('track' || g), 1, 10)),
       timestamptz '2025-01-02 09:00+00' + g * interval '29 minutes'
FROM generate_series(1, 800) AS g;

INSERT INTO shipment_events (shipment_id, what, seen_at)
SELECT s.id, (string_to_array('picked up,in transit,delivered', ','))[step], s.sent_at + step * interval '11 hours'
FROM shipments AS s, LATERAL generate_series(1, 1 + pg_temp.pick('steps' || s.id, 3)) AS step;
`;

/** Orders 1 to count, with their items and payments. Needs no table of the monolith. */
export const orderRows = (count: number): string => `
INSERT INTO orders (user_id, status, placed_at)
SELECT 1 + pg_temp.pick('ou' || g, ${USERS}),
       CASE WHEN g > ${ORDERS_BEFORE_MOVE - 60} THEN pg_temp.word('new,paid', 'new' || g)
            ELSE pg_temp.word('shipped,shipped,shipped,shipped,returned,cancelled', 'old' || g) END,
       timestamptz '2025-01-01 09:00+00' + g * interval '29 minutes'
FROM generate_series(1, ${count}) AS g;

INSERT INTO order_items (order_id, line, product_id, quantity, price)
SELECT o.id, line, 1 + pg_temp.pick('op' || o.id || '/' || line, ${PRODUCTS}),
       1 + pg_temp.pick('oq' || o.id || '/' || line, 3), (490 + pg_temp.pick('oc' || o.id || '/' || line, 9500)) / 100.0
FROM orders AS o, LATERAL generate_series(1, 1 + pg_temp.pick('ol' || o.id, 4)) AS line;

UPDATE orders SET total = (SELECT sum(quantity * price) FROM order_items WHERE order_id = orders.id);

INSERT INTO payments (order_id, amount, method, paid_at)
SELECT id, total, pg_temp.word('card,card,transfer,voucher', 'pay' || id), placed_at + interval '4 minutes'
FROM orders WHERE status NOT IN ('new', 'cancelled') ORDER BY id;
`;
