import { RawClient } from '../../hostile/raw-client.js';
import { startPostgres, type TestPostgres } from '../../support/postgres.js';
import { type EmbeddedTraffic, embedTraffic } from './embedded-traffic.js';

const MONOLITH = `
  CREATE SEQUENCE numbers;
  CREATE TABLE users (id int PRIMARY KEY);
  CREATE TABLE customers (id int PRIMARY KEY);
  CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers ON DELETE CASCADE DEFERRABLE);
  CREATE TABLE parts (id int PRIMARY KEY);
  CREATE TABLE slow (id int PRIMARY KEY);
  CREATE TABLE later (id int PRIMARY KEY);
  CREATE TABLE teed (id int PRIMARY KEY);
  CREATE TABLE moved (id int PRIMARY KEY);
  CREATE TABLE days (day int, id int, PRIMARY KEY (day, id)) PARTITION BY LIST (day);
  CREATE TABLE days_1 PARTITION OF days FOR VALUES IN (1);
  CREATE VIEW all_orders AS SELECT * FROM orders;
  CREATE TABLE notes (id int);
  CREATE FUNCTION note_order() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO orders VALUES (NEW.id); RETURN NEW; END $$;
  CREATE TRIGGER note_order AFTER INSERT ON notes FOR EACH ROW EXECUTE FUNCTION note_order();
  CREATE FUNCTION writes_unseen(int) RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN EXECUTE format('INSERT INTO orders VALUES (%s)', $1); RETURN $1; END $$;
  CREATE FUNCTION looks_unseen(int) RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN EXECUTE format('SELECT %s', $1); RETURN $1; END $$;
  CREATE FUNCTION harmless(int) RETURNS int LANGUAGE sql AS 'SELECT count(*)::int FROM users WHERE id = $1';
  CREATE PROCEDURE commits_and_fails(int) LANGUAGE plpgsql AS
    $$ BEGIN EXECUTE format('INSERT INTO orders VALUES (%s)', $1); COMMIT; RAISE EXCEPTION 'no'; END $$;`;
const NEW = 'CREATE TABLE parts (id int PRIMARY KEY); CREATE TABLE moved (id int PRIMARY KEY);';

const rule = (table: string, phase: string, more: object = {}): Readonly<Record<string, unknown>> => ({
  ...{ database: 'new_db', tables: [`public.${table}`], phase },
  ...more,
});

/** `orders` says nothing of its mirror: its commits wait. */
const RULES = {
  orders: rule('orders', 'dual-write'),
  parts: rule('parts', 'read-new', { mirror: { syncTimeout: '20s' } }),
  days: rule('days', 'shadow-read', { mirror: { syncTimeout: '20s' } }),
  slow: rule('slow', 'dual-write', { mirror: { syncTimeout: '100ms' } }),
  later: rule('later', 'dual-write', { mirror: { apply: 'async' } }),
  teed: rule('teed', 'dual-write', { mirror: { capture: 'statement' } }),
  moved: rule('moved', 'write-new'),
};

export interface MirroredShop {
  readonly server: TestPostgres;
  open(config?: Readonly<Record<string, unknown>>): Promise<EmbeddedTraffic>;
}

/** A shop whose tables are mirrored in every way, and traffic over it. */
export async function mirroredShop(): Promise<MirroredShop> {
  const server = await startPostgres({ settings: { max_prepared_transactions: '5' } });
  await server.query('CREATE DATABASE shop');
  await server.query('CREATE DATABASE new');
  await server.query(MONOLITH, 'shop');
  await server.query(NEW, 'new');
  const databases = { monolith: server.url('shop'), new_db: server.url('new') };
  // The orders' second is too short for a busy machine: what is held must not end by itself.
  const orders = { ...RULES.orders, mirror: { syncTimeout: '20s' } };
  return { server, open: (config = {}) => embedTraffic({ databases, rules: { ...RULES, orders }, config }) };
}

/** A client of it. */
export const login = ({ host, port }: EmbeddedTraffic): Promise<RawClient> =>
  RawClient.login({ host, port, dbname: 'shop' } as never);
