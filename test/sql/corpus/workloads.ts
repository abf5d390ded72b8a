/** The statements of well-known workloads, formulated for schemas of the same shape. */

export function workloads(): { readonly source: string; readonly statements: readonly string[] }[] {
  return [
    { source: 'pgbench', statements: pgbench() },
    { source: 'sysbench', statements: sysbench() },
    { source: 'TPC-C-like', statements: orderEntry() },
    { source: 'TPC-H-like', statements: DECISIONS.map(oneLine) },
  ];
}

const oneLine = (sql: string): string => sql.trim().replaceAll(/\s+/g, ' ');

/** tpcb-like, simple-update and select-only, in the three protocols' forms; and what `pgbench -i` sends. */
function pgbench(): string[] {
  const scripts = (v: (name: string) => string): string[] => [
    `UPDATE pgbench_accounts SET abalance = abalance + ${v('delta')} WHERE aid = ${v('aid')};`,
    `SELECT abalance FROM pgbench_accounts WHERE aid = ${v('aid')};`,
    `UPDATE pgbench_tellers SET tbalance = tbalance + ${v('delta')} WHERE tid = ${v('tid')};`,
    `UPDATE pgbench_branches SET bbalance = bbalance + ${v('delta')} WHERE bid = ${v('bid')};`,
    `INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (${v('tid')}, ${v('bid')}, ${v('aid')}, ${v('delta')}, CURRENT_TIMESTAMP);`,
  ];
  const values: Readonly<Record<string, string>> = { delta: '-42', aid: '12345', tid: '5', bid: '1' };
  let place = 0;
  const init = ['accounts', 'branches', 'history', 'tellers'].flatMap((name) => [
    `drop table if exists pgbench_${name}`,
    `create table pgbench_${name}(bid int not null, filler char(88)) with (fillfactor=100)`,
    `create unlogged table pgbench_${name}(aid bigint not null, abalance int, filler char(84)) partition by hash (aid)`,
    `create table pgbench_${name}_1 partition of pgbench_${name} for values with (modulus 2, remainder 0)`,
    `copy pgbench_${name} from stdin with (freeze on)`,
    `alter table pgbench_${name} add primary key (bid)`,
    `alter table pgbench_${name} add constraint pgbench_${name}_fkey foreign key (bid) references pgbench_branches`,
    `insert into pgbench_${name}(bid, filler) select bid, '' from generate_series(1, 10) as bid`,
    `vacuum analyze pgbench_${name}`,
    `vacuum pgbench_${name}`,
  ]);
  return [
    'BEGIN;',
    'END;',
    ...scripts((name) => values[name] ?? '0'),
    ...scripts(() => `$${++place}`),
    'truncate table pgbench_accounts, pgbench_branches, pgbench_history, pgbench_tellers',
    'SELECT count(*) FROM pgbench_branches',
    ...init,
  ];
}

/** oltp_*.lua, bulk_insert and select_random_*, over two of the tables. */
function sysbench(): string[] {
  return [1, 7].flatMap((n) => {
    const table = `sbtest${n}`;
    return [
      `CREATE TABLE ${table}( id SERIAL, k INTEGER DEFAULT '0' NOT NULL, c CHAR(120) DEFAULT '' NOT NULL, pad CHAR(60) DEFAULT '' NOT NULL, PRIMARY KEY (id) )`,
      `CREATE INDEX k_${n} ON ${table}(k)`,
      `INSERT INTO ${table}(k, c, pad) VALUES${Array.from({ length: 40 }, (_, i) => `(${i}, 'c${i}', 'pad')`).join(',')}`,
      `SELECT c FROM ${table} WHERE id=${n}`,
      `SELECT c FROM ${table} WHERE id=$1`,
      `SELECT c FROM ${table} WHERE id BETWEEN 5 AND 104`,
      `SELECT SUM(k) FROM ${table} WHERE id BETWEEN 5 AND 104`,
      `SELECT c FROM ${table} WHERE id BETWEEN 5 AND 104 ORDER BY c`,
      `SELECT DISTINCT c FROM ${table} WHERE id BETWEEN 5 AND 104 ORDER BY c`,
      `UPDATE ${table} SET k=k+1 WHERE id=${n}`,
      `UPDATE ${table} SET c='abc' WHERE id=$1`,
      `DELETE FROM ${table} WHERE id=${n}`,
      `INSERT INTO ${table} (id, k, c, pad) VALUES (${n}, 2, 'c', 'pad')`,
      `SELECT id, k, c, pad FROM ${table} WHERE k IN (1, 2, 3, 4, 5)`,
      `SELECT count(k) FROM ${table} WHERE k BETWEEN 1 AND 6 OR k BETWEEN 100 AND 106`,
      `INSERT INTO ${table} VALUES(1, 2),(2, 3)`,
      `DROP TABLE IF EXISTS ${table}`,
    ];
  });
}

/** The five transactions of order entry: new order, payment, order status, delivery, stock level. */
function orderEntry(): string[] {
  return [
    'SELECT c.discount, c.last_name, c.credit, w.tax FROM customer c, warehouse w WHERE w.id = $1 AND c.w_id = w.id AND c.d_id = $2 AND c.id = $3',
    'SELECT next_order, tax FROM district WHERE id = $1 AND w_id = $2 FOR UPDATE',
    'UPDATE district SET next_order = next_order + 1 WHERE id = $1 AND w_id = $2 RETURNING next_order - 1, tax',
    'INSERT INTO oorder (id, d_id, w_id, c_id, entered, line_count, all_local) VALUES ($1, $2, $3, $4, now(), $5, $6)',
    'INSERT INTO new_order (o_id, d_id, w_id) VALUES ($1, $2, $3)',
    'SELECT price, name, data FROM item WHERE id = $1',
    'SELECT id, price, name FROM item WHERE id = ANY ($1)',
    'SELECT quantity, data, dist_01, dist_02 FROM stock WHERE i_id = $1 AND w_id = $2 FOR UPDATE',
    'UPDATE stock SET quantity = CASE WHEN quantity - $1 >= 10 THEN quantity - $1 ELSE quantity - $1 + 91 END, ytd = ytd + $1, order_count = order_count + 1 WHERE i_id = $2 AND w_id = $3 RETURNING quantity',
    'INSERT INTO order_line (o_id, d_id, w_id, number, i_id, supply_w_id, quantity, amount, dist_info) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
    'INSERT INTO order_line SELECT $1, $2, $3, l.n, l.i, $3, l.q, l.q * i.price FROM unnest($4::int[], $5::int[], $6::int[]) AS l(n, i, q) JOIN item i ON i.id = l.i',
    'UPDATE warehouse SET ytd = ytd + $1 WHERE id = $2 RETURNING name, street, city, state, zip',
    'SELECT street_1, street_2, city, state, zip, name FROM warehouse WHERE id = $1',
    'UPDATE district SET ytd = ytd + $1 WHERE w_id = $2 AND id = $3',
    'SELECT count(id) FROM customer WHERE last_name = $1 AND d_id = $2 AND w_id = $3',
    'SELECT first_name, middle, id FROM customer WHERE w_id = $1 AND d_id = $2 AND last_name = $3 ORDER BY first_name OFFSET $4 LIMIT 1',
    "UPDATE customer SET balance = balance - $1, payments = payments + 1, data = substr($2 || data, 1, 500) WHERE w_id = $3 AND d_id = $4 AND id = $5 AND credit = 'BC'",
    'INSERT INTO history (c_d_id, c_w_id, c_id, d_id, w_id, at, amount, data) VALUES ($1, $2, $3, $4, $5, CURRENT_TIMESTAMP, $6, $7)',
    'SELECT balance, first_name, middle, last_name FROM customer WHERE id = $1 AND d_id = $2 AND w_id = $3',
    'SELECT id, carrier_id, entered FROM oorder WHERE w_id = $1 AND d_id = $2 AND c_id = $3 ORDER BY id DESC LIMIT 1',
    'SELECT i_id, supply_w_id, quantity, amount, delivered FROM order_line WHERE o_id = $1 AND d_id = $2 AND w_id = $3',
    'DELETE FROM new_order WHERE w_id = $1 AND d_id = $2 AND o_id = (SELECT min(o_id) FROM new_order WHERE w_id = $1 AND d_id = $2) RETURNING o_id',
    'UPDATE oorder SET carrier_id = $1 WHERE id = $2 AND d_id = $3 AND w_id = $4 RETURNING c_id',
    'UPDATE order_line SET delivered = now() WHERE o_id = $1 AND d_id = $2 AND w_id = $3',
    'WITH total AS (SELECT sum(amount) AS s FROM order_line WHERE o_id = $1 AND d_id = $2 AND w_id = $3) UPDATE customer SET balance = balance + total.s FROM total WHERE w_id = $3 AND d_id = $2 AND id = $4',
    'SELECT count(DISTINCT s.i_id) FROM order_line l JOIN stock s ON s.i_id = l.i_id AND s.w_id = $1 WHERE l.w_id = $1 AND l.d_id = $2 AND l.o_id BETWEEN $3 - 20 AND $3 - 1 AND s.quantity < $4',
    'SELECT w_id, sum(amount) FROM history GROUP BY w_id HAVING sum(amount) <> (SELECT ytd - 300000 FROM warehouse WHERE id = history.w_id)',
    'SELECT d.w_id, d.id FROM district d WHERE d.next_order - 1 <> (SELECT max(o.id) FROM oorder o WHERE o.d_id = d.id AND o.w_id = d.w_id)',
  ];
}

/** Twenty-two questions of a decision-support workload over parts, suppliers and orders. */
const DECISIONS: readonly string[] = [
  `SELECT flag, status, sum(quantity), sum(price), sum(price * (1 - discount)), avg(discount), count(*) FROM lineitem
   WHERE shipped <= date '2024-12-01' - interval '90 days' GROUP BY flag, status ORDER BY flag, status`,
  `SELECT s.balance, s.name, n.name, p.id FROM part p, supplier s, partsupp ps, nation n, region r
   WHERE p.id = ps.part_id AND s.id = ps.supplier_id AND p.size = 15 AND p.type LIKE '%BRASS' AND s.nation_id = n.id AND n.region_id = r.id
   AND ps.cost = (SELECT min(ps2.cost) FROM partsupp ps2, supplier s2, nation n2 WHERE p.id = ps2.part_id AND s2.id = ps2.supplier_id AND s2.nation_id = n2.id)
   ORDER BY s.balance DESC LIMIT 100`,
  `SELECT l.order_id, sum(l.price * (1 - l.discount)) AS revenue, o.placed FROM customer c, orders o, lineitem l
   WHERE c.segment = 'BUILDING' AND c.id = o.customer_id AND l.order_id = o.id AND o.placed < '2024-03-15' GROUP BY l.order_id, o.placed ORDER BY revenue DESC LIMIT 10`,
  `SELECT priority, count(*) FROM orders o WHERE placed >= '2024-07-01' AND EXISTS (SELECT * FROM lineitem l WHERE l.order_id = o.id AND l.committed < l.received)
   GROUP BY priority ORDER BY priority`,
  `SELECT n.name, sum(l.price) FROM customer c JOIN orders o ON o.customer_id = c.id JOIN lineitem l ON l.order_id = o.id JOIN supplier s ON s.id = l.supplier_id
   JOIN nation n ON n.id = s.nation_id JOIN region r ON r.id = n.region_id WHERE r.name = 'ASIA' AND c.nation_id = s.nation_id GROUP BY n.name ORDER BY 2 DESC`,
  `SELECT sum(price * discount) FROM lineitem WHERE shipped >= '2024-01-01' AND discount BETWEEN 0.05 AND 0.07 AND quantity < 24`,
  `SELECT x.a, x.b, x.y, sum(x.volume) FROM (SELECT n1.name AS a, n2.name AS b, extract(year FROM l.shipped) AS y, l.price AS volume
   FROM supplier s, lineitem l, orders o, customer c, nation n1, nation n2 WHERE s.id = l.supplier_id AND o.id = l.order_id AND c.id = o.customer_id AND s.nation_id = n1.id
   AND c.nation_id = n2.id AND ((n1.name = 'FRANCE' AND n2.name = 'GERMANY') OR (n1.name = 'GERMANY' AND n2.name = 'FRANCE'))) AS x GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
  `SELECT y, sum(CASE WHEN nation = 'BRAZIL' THEN volume ELSE 0 END) / sum(volume) FROM (SELECT extract(year FROM o.placed) AS y, l.price AS volume, n2.name AS nation
   FROM part p, supplier s, lineitem l, orders o, customer c, nation n1, nation n2, region r WHERE p.id = l.part_id AND s.id = l.supplier_id AND l.order_id = o.id
   AND o.customer_id = c.id AND c.nation_id = n1.id AND n1.region_id = r.id AND s.nation_id = n2.id) AS shares GROUP BY y ORDER BY y`,
  `SELECT nation, y, sum(amount) FROM (SELECT n.name AS nation, extract(year FROM o.placed) AS y, l.price * (1 - l.discount) - ps.cost * l.quantity AS amount
   FROM part p, supplier s, lineitem l, partsupp ps, orders o, nation n WHERE s.id = l.supplier_id AND ps.part_id = l.part_id AND p.name LIKE '%green%') AS profit GROUP BY 1, 2 ORDER BY 1, 2 DESC`,
  `SELECT c.id, c.name, sum(l.price) AS lost FROM customer c, orders o, lineitem l, nation n WHERE c.id = o.customer_id AND l.order_id = o.id AND l.flag = 'R' AND c.nation_id = n.id
   GROUP BY c.id, c.name ORDER BY lost DESC LIMIT 20`,
  `SELECT ps.part_id, sum(ps.cost * ps.available) AS value FROM partsupp ps, supplier s, nation n WHERE ps.supplier_id = s.id AND s.nation_id = n.id GROUP BY ps.part_id
   HAVING sum(ps.cost * ps.available) > (SELECT sum(ps.cost * ps.available) * 0.0001 FROM partsupp ps, supplier s, nation n WHERE ps.supplier_id = s.id) ORDER BY value DESC`,
  `SELECT l.mode, sum(CASE WHEN o.priority IN ('1-URGENT', '2-HIGH') THEN 1 ELSE 0 END) FROM orders o, lineitem l WHERE o.id = l.order_id AND l.mode IN ('MAIL', 'SHIP') GROUP BY l.mode`,
  `SELECT n, count(*) FROM (SELECT c.id, count(o.id) AS n FROM customer c LEFT OUTER JOIN orders o ON c.id = o.customer_id AND o.comment NOT LIKE '%special%' GROUP BY c.id) AS per GROUP BY n ORDER BY 2 DESC`,
  `SELECT 100.00 * sum(CASE WHEN p.type LIKE 'PROMO%' THEN l.price ELSE 0 END) / sum(l.price) FROM lineitem l, part p WHERE l.part_id = p.id AND l.shipped >= '2024-09-01'`,
  `WITH revenue AS (SELECT supplier_id, sum(price) AS total FROM lineitem WHERE shipped >= '2024-01-01' GROUP BY supplier_id)
   SELECT s.id, s.name, r.total FROM supplier s, revenue r WHERE s.id = r.supplier_id AND r.total = (SELECT max(total) FROM revenue) ORDER BY s.id`,
  `CREATE VIEW revenue AS SELECT supplier_id, sum(price) AS total FROM lineitem GROUP BY supplier_id`,
  `SELECT p.brand, p.type, count(DISTINCT ps.supplier_id) FROM partsupp ps, part p WHERE p.id = ps.part_id AND p.size IN (49, 14, 23)
   AND ps.supplier_id NOT IN (SELECT id FROM supplier WHERE comment LIKE '%Complaints%') GROUP BY 1, 2 ORDER BY 3 DESC`,
  `SELECT sum(l.price) / 7.0 FROM lineitem l, part p WHERE p.id = l.part_id AND l.quantity < (SELECT 0.2 * avg(quantity) FROM lineitem WHERE part_id = p.id)`,
  `SELECT c.name, c.id, o.id, sum(l.quantity) FROM customer c, orders o, lineitem l WHERE o.id IN (SELECT order_id FROM lineitem GROUP BY order_id HAVING sum(quantity) > 300)
   AND c.id = o.customer_id AND o.id = l.order_id GROUP BY c.name, c.id, o.id ORDER BY 4 DESC LIMIT 100`,
  `SELECT sum(l.price) FROM lineitem l, part p WHERE (p.id = l.part_id AND p.brand = 'A' AND l.quantity BETWEEN 1 AND 11) OR (p.id = l.part_id AND p.brand = 'B' AND l.quantity BETWEEN 10 AND 20)`,
  `SELECT s.name, s.address FROM supplier s, nation n WHERE s.id IN (SELECT ps.supplier_id FROM partsupp ps WHERE ps.part_id IN (SELECT id FROM part WHERE name LIKE 'forest%')
   AND ps.available > (SELECT 0.5 * sum(quantity) FROM lineitem l WHERE l.part_id = ps.part_id AND l.supplier_id = ps.supplier_id)) AND s.nation_id = n.id ORDER BY s.name`,
  `SELECT s.name, count(*) FROM supplier s, lineitem l1, orders o, nation n WHERE s.id = l1.supplier_id AND o.id = l1.order_id AND o.status = 'F' AND l1.received > l1.committed
   AND EXISTS (SELECT * FROM lineitem l2 WHERE l2.order_id = l1.order_id AND l2.supplier_id <> l1.supplier_id)
   AND NOT EXISTS (SELECT * FROM lineitem l3 WHERE l3.order_id = l1.order_id AND l3.received > l3.committed) GROUP BY s.name ORDER BY 2 DESC`,
  `SELECT code, count(*), sum(balance) FROM (SELECT substring(phone from 1 for 2) AS code, balance FROM customer c WHERE balance > (SELECT avg(balance) FROM customer WHERE balance > 0)
   AND NOT EXISTS (SELECT * FROM orders o WHERE o.customer_id = c.id)) AS idle GROUP BY code ORDER BY code`,
  `INSERT INTO lineitem SELECT o.id, p.id, s.id, 1, p.price FROM orders o, part p, supplier s WHERE o.id > (SELECT max(order_id) FROM lineitem)`,
  `DELETE FROM lineitem WHERE order_id IN (SELECT id FROM orders WHERE placed < '2010-01-01')`,
];
