import t from 'tap';
import type { RawClient } from '../hostile/raw-client.js';
import { ask, login } from './raw-session.js';
import { startShop } from './two-databases.js';

/**
 * A server ends a session that idles in its transaction; of one over two databases each server would take the time in
 * which the client works on the other one for idleness, so that it is pgfig's to enforce.
 */
const { pgfig } = await startShop();

async function overTwo(): Promise<RawClient> {
  const client = await login(pgfig);
  for (const sql of [
    "SET idle_in_transaction_session_timeout = '500ms'",
    'BEGIN',
    "INSERT INTO orders VALUES (1000, 1, 'x')",
  ])
    await ask(client, sql);
  t.equal(await ask(client, 'SELECT 1 FROM users'), 'C | ZT');
  return client;
}

const ended = async (client: RawClient): Promise<string | undefined> =>
  (await client.untilClosed()).at(-1)?.body.toString();

t.test('a client that idles', async (t) => {
  const client = await overTwo();
  t.match(await ended(client), /FATAL[\s\S]*25P03/);
});

t.test('a client that idles behind an answer of pgfig’s own', async (t) => {
  const client = await overTwo();
  t.match(await ask(client, "INSERT INTO users VALUES (1000, 'x')"), /^E ERROR 0A000 [^|]+ \| ZE$/);
  t.match(await ended(client), /FATAL[\s\S]*25P03/);
});

t.test('a client whose statements take longer, one by one or sent together', async (t) => {
  const client = await overTwo();
  const long = 'SELECT pg_sleep(0.8) FROM users LIMIT 1';
  t.equal(await ask(client, long), 'C | ZT');
  t.equal(await ask(client, `SELECT 1 FROM orders; ${long}`), 'C | C | ZT');
  t.equal(await ask(client, 'COMMIT'), 'C | ZI');
  client.vanish();
});
