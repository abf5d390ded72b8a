import pg from 'pg';
import { HELPERS, MONOLITH_ROWS, ORDERS_BEFORE_MOVE, ORDERS_NOW, orderRows } from './data.js';
import { CROSSING_KEYS, MONOLITH_EXTRAS, MONOLITH_TABLES, ORDER_TABLES, ORDER_TRIGGER } from './schema.js';

export interface ShopServer {
  readonly port: number;
  readonly password: string;
}

/** Owner of everything in the shop, and the user of every session; not a superuser. */
export const SHOP_USER = 'shop';

/** The role that the mirror's relay writes with: src/mirror/capture/relay-role.ts. */
const RELAY_ROLE = 'pgfig_relay';

/** The server's tables, rows and helpers, in the order in which they must be made. */
const MONOLITH = [MONOLITH_TABLES, ORDER_TABLES, CROSSING_KEYS, HELPERS, MONOLITH_ROWS, orderRows(ORDERS_BEFORE_MOVE)];
const ORDERS = [ORDER_TABLES, HELPERS, orderRows(ORDERS_NOW)];

/** Makes and fills database `shop` of the monolith, unless it is there from an earlier run. */
export async function loadMonolith(server: ShopServer): Promise<void> {
  await load(server, 'shop', [...MONOLITH, MONOLITH_EXTRAS, ORDER_TRIGGER, 'ANALYZE']);
}

/** Makes and fills database `orders` of orders_db, unless it is there from an earlier run. */
export async function loadOrders(server: ShopServer): Promise<void> {
  await load(server, 'orders', [...ORDERS, ORDER_TRIGGER, 'ANALYZE']);
}

async function load(server: ShopServer, dbname: string, sql: readonly string[]): Promise<void> {
  await withClient(server, 'postgres', 'postgres', async (client) => {
    const { rows } = await client.query(
      `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS role,
              EXISTS (SELECT FROM pg_roles WHERE rolname = '${RELAY_ROLE}') AS relay,
              EXISTS (SELECT FROM pg_database WHERE datname = $2) AS database`,
      [SHOP_USER, dbname],
    );
    const password = client.escapeLiteral(server.password);
    if (!rows[0]?.role) await client.query(`CREATE ROLE ${SHOP_USER} LOGIN PASSWORD ${password}`);
    // What a DBA does before a domain is mirrored (docs/mirror-install.md).
    if (!rows[0]?.relay)
      await client.query(`CREATE ROLE ${RELAY_ROLE} NOLOGIN BYPASSRLS; GRANT ${RELAY_ROLE} TO ${SHOP_USER}`);
    if (!rows[0]?.database) await client.query(`CREATE DATABASE ${dbname} OWNER ${SHOP_USER}`);
  });
  await withClient(server, SHOP_USER, dbname, async (client) => {
    const { rows } = await client.query(`SELECT to_regclass('public.orders') IS NOT NULL AS loaded`);
    if (rows[0]?.loaded) return;
    // One transaction: a start that is broken off leaves an empty database, and the next one fills it.
    await client.query(['BEGIN', ...sql, 'COMMIT'].join(';\n'));
  });
}

async function withClient(
  server: ShopServer,
  user: string,
  database: string,
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({ host: '127.0.0.1', port: server.port, user, password: server.password, database });
  // The server may be stopped under a client that is idle; its next query says so.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
