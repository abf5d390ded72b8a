/** What services send, for the measurements of reading SQL. */

const SHORT = 'SELECT abalance FROM pgbench_accounts WHERE aid = 12345;';

const columns = Array.from({ length: 40 }, (_, i) => `"t0"."some_column_${i}" AS "t0_some_column_${i}"`).join(', ');
const ORM = `SELECT ${columns} FROM "public"."orders" "t0" LEFT JOIN "public"."users" "t1" ON "t1"."id" = "t0"."user_id" WHERE "t0"."state" IN ('open', 'paid') AND "t1"."id" = 4711 ORDER BY "t0"."id" DESC LIMIT 20`;

const rows = Array.from({ length: 100 }, (_, i) => `(${i}, 'customer ${i}', ${i}.50, '2024-01-${10 + (i % 20)}')`);
const INSERT = `INSERT INTO orders (id, customer, total, placed_on) VALUES ${rows.join(', ')}`;

const ANALYTICAL = `WITH paid AS (
  SELECT o.id, o.user_id, o.placed_at, sum(i.quantity * i.unit_price) AS total
  FROM orders AS o
  JOIN order_items AS i ON i.order_id = o.id
  WHERE o.state IN ('paid', 'shipped')
    AND o.placed_at >= date '2024-01-01'
    AND o.placed_at < date '2024-01-01' + interval '3 months'
  GROUP BY o.id, o.user_id, o.placed_at
), ranked AS (
  SELECT p.*,
    row_number() OVER (PARTITION BY p.user_id ORDER BY p.placed_at) AS nth,
    lag(p.placed_at) OVER (PARTITION BY p.user_id ORDER BY p.placed_at) AS before,
    sum(p.total) OVER (PARTITION BY p.user_id ORDER BY p.placed_at ROWS UNBOUNDED PRECEDING) AS so_far
  FROM paid AS p
)
SELECT date_trunc('month', r.placed_at) AS month,
  u.country,
  count(*) FILTER (WHERE r.nth = 1) AS first_orders,
  count(*) FILTER (WHERE r.nth > 1) AS repeat_orders,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY r.total) AS median_total,
  avg(extract(day FROM r.placed_at - r.before)) AS days_between,
  coalesce(sum(r.total), 0) AS revenue
FROM ranked AS r
JOIN users AS u ON u.id = r.user_id
LEFT JOIN LATERAL (SELECT max(s.started_at) AS seen FROM sessions AS s WHERE s.user_id = u.id) AS s ON true
WHERE NOT EXISTS (SELECT 1 FROM refunds AS f WHERE f.order_id = r.id AND f.amount > 0.5 * r.total)
GROUP BY ROLLUP (1, 2)
HAVING count(*) > 10
ORDER BY month DESC NULLS LAST, revenue DESC
LIMIT 100`;

export const TEXTS: readonly (readonly [name: string, sql: string])[] = [
  ['short', SHORT],
  ['orm-of-40-columns', ORM],
  ['insert-of-100-rows', INSERT],
  ['analytical-of-30-lines', ANALYTICAL],
];

/** A bulk INSERT of about so many bytes. */
export function bulkInsert(bytes: number): string {
  const values = Array.from(
    { length: Math.ceil(bytes / 44) },
    (_, i) => `(${i}, 'customer ${i}', ${i}.50, '2024-01-10')`,
  );
  return `INSERT INTO orders (id, customer, total, placed_on) VALUES ${values.join(', ')}`;
}
