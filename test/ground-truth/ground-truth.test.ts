/**
 * What statements touch, according to the server that runs them: each runs in a transaction, and the locks that the
 * server then holds name every relation that it touched, through views, functions, triggers and cascades too. pgfig
 * must name them all. Where it names more, the case says why.
 */
import path from 'node:path';
import t, { type Test } from 'tap';
import { type Catalog, readCatalog } from '../../src/backend/catalog.js';
import { loadConfig } from '../../src/config/load.js';
import {
  CROSSING_KEYS,
  MONOLITH_EXTRAS,
  MONOLITH_TABLES,
  ORDER_TABLES,
  ORDER_TRIGGER,
} from '../../src/embedded/shop/schema.js';
import { splitPath } from '../../src/session/names/search-path.js';
import { loadParser } from '../../src/sql/parser.js';
import { startPostgres } from '../support/postgres.js';
import { type Case, readCases, schemaFiles } from './case-files.js';
import { compare, type Difference, saidByStatements } from './compare.js';
import { type Played, Player } from './play.js';
import { DATABASE, saidByRoutes } from './route-facts.js';

/** The sample shop, with a row or two in each table. */
const SHOP = [
  MONOLITH_TABLES,
  ORDER_TABLES,
  CROSSING_KEYS,
  MONOLITH_EXTRAS,
  ORDER_TRIGGER,
  `INSERT INTO users (name, email) VALUES ('Ada', 'a@example.org'), ('Ben', 'b@example.org');
   INSERT INTO sessions (user_id, device) VALUES (1, 'phone'), (2, 'laptop');
   INSERT INTO products (sku, name, price) VALUES ('P-1', 'Lamp', 10), ('P-2', 'Desk', 20);
   INSERT INTO inventory (product_id, quantity) VALUES (1, 5), (2, 6);
   INSERT INTO reviews (product_id, user_id, rating) VALUES (1, 1, 5), (2, 2, 4);
   INSERT INTO orders (user_id) VALUES (1), (2);
   INSERT INTO order_items VALUES (1, 1, 1, 2, 10), (2, 1, 2, 1, 20);
   INSERT INTO payments (order_id, amount, method) VALUES (1, 20, 'card')`,
].join(';');

const server = await startPostgres();
for (const sql of [SHOP, ...schemaFiles()]) await server.query(sql);
const player = new Player(server.url(), await loadParser());
t.teardown(() => player.close());

const cases = readCases();
const played = new Map<Case, Played>();
const excusesUsed = new Map<Case, Set<string>>();

t.test('every case runs', { timeout: 150_000 }, async (t) => {
  for (const one of cases) {
    try {
      played.set(one, await player.play(one));
    } catch (error) {
      t.fail(`${one.at} ${one.sql}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  t.ok(played.size >= 850, `${played.size} cases`);
});

t.test('the facts of statements name what the server locks', async (t) => {
  for (const [one, of] of played) {
    if (one.section.startsWith('plain')) check(t, one, compare(one, of, saidByStatements(of), usedBy(one)));
  }
});

t.test('the routes name what the server locks, behind views, functions, triggers and keys too', async (t) => {
  const catalog = await readServer(t);
  for (const [one, of] of played) check(t, one, compare(one, of, saidByRoutes(of, catalog), usedBy(one)));
});

t.test('the catalog knows the search_path that each role begins with', async (t) => {
  const catalog = await readServer(t);
  for (const { login, before } of cases) {
    if (login.options !== '' || before.length > 0) continue;
    const { rows } = await (await player.connect(login)).query<{ search_path: string }>('SHOW search_path');
    const told = catalog.initialSearchPath(DATABASE, login.user) ?? ['$user', 'public'];
    t.strictSame(splitPath(rows[0]?.search_path ?? ''), told, login.user);
  }
});

async function readServer(t: Test): Promise<Catalog> {
  const folder = t.testdir({ 'pgfig.yaml': `databases:\n  ${DATABASE}: { url: "${server.url()}" }\n` });
  return readCatalog(loadConfig(path.join(folder, 'pgfig.yaml')));
}

t.test('no excuse is idle', async (t) => {
  for (const one of played.keys()) {
    const excuses = [...one.beyond.keys(), ...one.unseen.keys(), ...one.onlyRead.keys()];
    t.strictSame(
      excuses.filter((name) => !usedBy(one).has(name)),
      [],
      one.at,
    );
  }
});

/** The excuses of a case that were needed. */
function usedBy(one: Case): Set<string> {
  const used = excusesUsed.get(one) ?? new Set();
  excusesUsed.set(one, used);
  return used;
}

function check(t: Test, one: Case, difference: Difference): void {
  const found = Object.entries(difference).filter(([, list]) => list.length > 0);
  t.strictSame(Object.fromEntries(found), {}, `${one.at} ${one.sql}`);
}
