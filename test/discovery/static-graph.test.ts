import t from 'tap';
import { readCatalog } from '../../src/backend/catalog.js';
import { loadConfig } from '../../src/config/load.js';
import { staticGraph } from '../../src/discovery/static-graph.js';
import { freePort } from '../../src/embedded/postgres-server.js';
import {
  CROSSING_KEYS,
  MONOLITH_EXTRAS,
  MONOLITH_TABLES,
  ORDER_TABLES,
  ORDER_TRIGGER,
} from '../../src/embedded/shop/schema.js';
import { writeConfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';

const server = await startPostgres();
const file = await writeConfig(
  { databases: { monolith: server.url() } },
  { listen: await freePort(), admin: await freePort() },
);

const graph = async () => staticGraph(await readCatalog(loadConfig(file)), 'monolith');
const short = (text: string): string => text.replaceAll('public.', '');

t.test('the definitions of the shop', async (t) => {
  await server.query(MONOLITH_TABLES + ORDER_TABLES + CROSSING_KEYS + MONOLITH_EXTRAS + ORDER_TRIGGER);
  const { tables, views, edges } = await graph();
  t.same(tables.map(short), [
    ...['carriers', 'inventory', 'order_items', 'orders', 'payments', 'products', 'reviews', 'sessions'],
    ...['shipment_events', 'shipments', 'users'],
  ]);
  t.same(views, ['public.product_ratings']);
  const lines = edges.map(({ kind, from, to, name }) => short(`${kind}: ${from} -> ${to} (${name})`));
  t.same(
    lines.sort(),
    [
      'cascade: inventory -> products (inventory_product_id_fkey)',
      'cascade: order_items -> orders (order_items_order_id_fkey)',
      'cascade: reviews -> products (reviews_product_id_fkey)',
      'cascade: sessions -> users (sessions_user_id_fkey)',
      'cascade: shipment_events -> shipments (shipment_events_shipment_id_fkey)',
      'foreign key: order_items -> products (order_items_product_id_fkey)',
      'foreign key: orders -> users (orders_user_id_fkey)',
      'foreign key: payments -> orders (payments_order_id_fkey)',
      'foreign key: reviews -> users (reviews_user_id_fkey)',
      'foreign key: shipments -> carriers (shipments_carrier_id_fkey)',
      'function: inventory -> products (function restock())',
      'function: orders -> order_items (function add_up_order())',
      'trigger: order_items -> orders (trigger add_up_order on order_items)',
      'view: product_ratings -> products (view product_ratings)',
      'view: product_ratings -> reviews (view product_ratings)',
    ].sort(),
  );
});

t.test('what is behind other definitions, and what is left out', async (t) => {
  await server.query(`
    CREATE SCHEMA app; CREATE SCHEMA pgfig; CREATE TABLE pgfig.matrix (id int);
    SET search_path = app;
    CREATE SEQUENCE numbers;
    CREATE TABLE invoices (id bigint DEFAULT nextval('numbers') PRIMARY KEY, own serial);
    CREATE TABLE credit_notes (id bigint DEFAULT nextval('numbers') PRIMARY KEY);
    CREATE TABLE parted (id int, day date) PARTITION BY RANGE (day);
    CREATE TABLE parted_2026 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE TABLE log (id int); CREATE TABLE grants (who text); CREATE TABLE secrets (id int);
    CREATE RULE keep AS ON DELETE TO invoices DO ALSO INSERT INTO log VALUES (1);
    ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
    CREATE POLICY granted ON secrets USING (EXISTS (SELECT FROM grants WHERE who = current_user));
    CREATE VIEW inner_view AS SELECT i.id FROM invoices i JOIN parted p ON p.id = i.id;
    CREATE VIEW outer_view AS SELECT id FROM inner_view;
    CREATE MATERIALIZED VIEW kept AS SELECT id FROM log;
    RESET search_path;
  `);
  const { tables, views, edges } = await graph();
  const own = (name: string): boolean => name.startsWith('app.');
  t.same(tables.filter(own), [
    'app.credit_notes',
    'app.grants',
    'app.invoices',
    'app.log',
    'app.parted',
    'app.secrets',
  ]);
  t.same(views.filter(own), ['app.inner_view', 'app.kept', 'app.outer_view']);
  t.notOk(tables.some((table) => table.startsWith('pgfig.')));
  const lines = edges.filter(({ from }) => own(from)).map(({ kind, from, to }) => `${kind}: ${from} -> ${to}`);
  t.same(lines.map((line) => line.replaceAll('app.', '')).sort(), [
    'policy: secrets -> grants',
    'rule: invoices -> log',
    'sequence: credit_notes -> invoices',
    'view: inner_view -> invoices',
    'view: inner_view -> parted',
    'view: kept -> log',
    'view: outer_view -> invoices',
    'view: outer_view -> parted',
  ]);
});
