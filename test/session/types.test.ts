import t from 'tap';
import { bind, describeStatement, execute, parse, sync } from '../../src/wire/frontend-messages.js';
import { errorFields, RawClient } from '../hostile/raw-client.js';
import { failure, startShop, value } from './two-databases.js';

const ENUM = `
  CREATE TYPE mood AS ENUM ('sad', 'happy');
  CREATE TYPE pair AS (a int, m mood);
  CREATE DOMAIN short AS varchar(3);`;
/** The same types by name, and other OIDs: some are used up first in orders_db. */
const shop = await startShop({
  inMonolith: `${ENUM} CREATE TABLE moods (id int, m mood, list mood[], p pair, s short);
    INSERT INTO moods VALUES (1, 'sad', '{sad}', (1, 'sad'), 'abc');`,
  inOrders: `CREATE TYPE used_up AS ENUM ('x'); CREATE TABLE used_too (a int); ${ENUM} CREATE TYPE only_here AS ENUM ('y');
    CREATE TABLE order_moods (id int, m mood, list mood[], p pair, s short, o only_here);
    INSERT INTO order_moods VALUES (1, 'happy', '{happy,sad}', (2, 'happy'), 'xyz', 'y');`,
  rules: { moods: { database: 'orders_db', tables: ['public.order_moods'], phase: 'write-new' } },
});
const oidOf = async (side: 'inMonolith' | 'inOrders', type: string): Promise<number> =>
  Number((await shop[side](`SELECT '${type}'::regtype::oid::int AS oid`))[0]?.oid);
const [home, there] = [await oidOf('inMonolith', 'mood'), await oidOf('inOrders', 'mood')];
const login = (): Promise<RawClient> =>
  RawClient.login({ host: shop.pgfig.host, port: shop.pgfig.port, dbname: 'shop' } as never);

t.test('the test’s own ground: the OIDs differ', async (t) => t.not(home, there));

t.test('RowDescription names home’s OIDs, whichever database answers', async (t) => {
  const client = await shop.connect();
  for (const text of ['SELECT m FROM moods', 'SELECT m FROM order_moods']) {
    t.equal((await client.query(text)).fields[0]?.dataTypeID, home, text);
    t.equal((await client.query({ name: text, text, values: [] })).fields[0]?.dataTypeID, home, `${text}, prepared`);
  }
  const list = await client.query('SELECT list, s FROM order_moods');
  t.equal(list.fields[0]?.dataTypeID, await oidOf('inMonolith', 'mood[]'));
  t.equal(list.fields[1]?.dataTypeID, 1043, 'a domain shows its base type, as ever');
});

t.test('ParameterDescription as well, and OIDs in Parse are taken as home’s', async (t) => {
  const client = await login();
  client.send(parse('s', 'SELECT id FROM order_moods WHERE m = $1'), describeStatement('s'), sync);
  const described = (await client.untilReady()).find(({ type }) => type === 't');
  t.equal(described?.body.readUInt32BE(2), home);
  client.send(
    parse('typed', 'SELECT id FROM order_moods WHERE m = $1', [home]),
    bind('', 'typed', ['happy']),
    execute('', 0),
    sync,
  );
  const answers = await client.untilReady();
  const failed = answers.find(({ type }) => type === 'E');
  t.equal(answers.map(({ type }) => type).join(''), '12DCZ', failed === undefined ? '' : String(errorFields(failed).M));
  client.vanish();
});

t.test(
  'a type that home does not know is refused by name, or shown as text; never under a stranger’s OID',
  async (t) => {
    const client = await shop.connect();
    const shown = await client.query('SELECT o FROM order_moods').catch((error: unknown) => error);
    if (shown instanceof Error) t.match(shown, { code: '0A000', message: /only_here/ });
    else {
      const oid = (shown as { fields: { dataTypeID: number }[] }).fields[0]?.dataTypeID ?? 0;
      const [stranger] = await shop.inMonolith(
        `SELECT oid::regtype::text AS name FROM pg_type WHERE oid = ${oid} AND oid >= 16384`,
      );
      t.equal(stranger, undefined, `the client takes OID ${oid} for ${stranger?.name}`);
    }
  },
);

t.test('binary composites carry OIDs in their rows: refused', async (t) => {
  const client = await login();
  // Result format 1: binary.
  const bindBinary = Buffer.concat([
    Buffer.from('B'),
    Buffer.from([0, 0, 0, 14]),
    Buffer.from([0, 0, 0, 0, 0, 0, 0, 1, 0, 1]),
  ]);
  client.send(parse('', 'SELECT p FROM order_moods'), bindBinary, execute('', 0), sync);
  const answers = await client.untilReady();
  const row = answers.find(({ type }) => type === 'D');
  if (row === undefined) {
    const failed = answers.find(({ type }) => type === 'E');
    t.match(failed === undefined ? {} : errorFields(failed), { C: '0A000', M: /pair/ });
  } else {
    // Column count, length, number of fields, then OID, length and value of each: the second is the enum.
    t.equal(row.body.readUInt32BE(2 + 4 + 4 + 4 + 4 + 4), home, 'the OID within the value is home’s');
  }
  client.send(parse('', 'SELECT p FROM moods'), bindBinary, execute('', 0), sync);
  t.equal((await client.untilReady()).map(({ type }) => type).join(''), '12DCZ', 'at home they pass');
  client.vanish();
});

t.test('casts, arrays and regtype by name work in both', async (t) => {
  const client = await shop.connect();
  t.equal(await value(client, 'SELECT count(*)::int FROM order_moods WHERE m = $1::mood', ['happy']), 1);
  t.equal(await value(client, 'SELECT count(*)::int FROM moods WHERE m = ANY($1::mood[])', [['sad']]), 1);
  t.match(await failure(client.query("SELECT 'angry'::mood FROM order_moods")), { code: '22P02' });
});
