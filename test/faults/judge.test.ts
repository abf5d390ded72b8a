import t from 'tap';
import { until } from '../clients/conditions.js';
import { hasPostgres, startPostgres } from '../support/postgres.js';
import { judge } from './judge.js';
import { KINDS } from './operations.js';
import { DDL, fill } from './schema.js';
import { Workload } from './workload.js';

/**
 * A judge that cannot find anything is worth nothing: the load runs against one server, its copy is a file copy, and
 * then faults of every kind are planted by hand.
 */
const server = await startPostgres({
  version: hasPostgres(15) ? 15 : 18,
  settings: { max_prepared_transactions: '20' },
});
await server.query('CREATE DATABASE source');
await server.query(DDL, 'source');
await server.query(fill(200), 'source');
const source = server.url('source');
const workload = new Workload({ seed: 1, proxy: () => source, source: () => source, pace: 0 });
const { journal } = workload;

const end = (dbname: string) =>
  server.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', 'postgres', [dbname]);

async function copyOf(dbname: string): Promise<string> {
  await end('source');
  await server.query(`CREATE DATABASE ${dbname} TEMPLATE source`);
  return server.url(dbname);
}

t.test('the load does everything that it is made of, while connections break', async (t) => {
  workload.start();
  const began = Date.now();
  const names = KINDS.map(({ name }) => name);
  await until(
    'every kind of operation',
    async () => {
      await end('source');
      await new Promise((resolve) => setTimeout(resolve, 300));
      return journal.untried(names).length === 0 && Date.now() - began > 3_000;
    },
    60_000,
  );
  await workload.stop();
  await workload.settle();
  t.comment(journal.summary());
  t.ok(journal.count('acked') > 200);
  t.ok(journal.count('failed') > 20);
  t.equal(journal.count('prepared'), 0);
});

t.test('two equal copies are found to be equal', async (t) => {
  t.strictSame(await judge(source, await copyOf('equal'), journal), []);
});

/** What is planted, and what the judge has to say about it. */
const acked = (kind: string): string =>
  journal.operations.find((operation) => operation.kind === kind && operation.outcome === 'acked')?.id ?? '';
const IN_THE_COPY: Readonly<Record<string, [string, RegExp]>> = {
  'a lost row': ['DELETE FROM copied WHERE ctid = (SELECT min(ctid) FROM copied)', /copied .* missing/],
  'one row more': ["INSERT INTO small VALUES (-1, 'mine')", /small \{-1\} extra/],
  'a changed value': [
    'UPDATE keyed SET filler = filler || $$ $$ WHERE ctid = (SELECT min(ctid) FROM keyed)',
    /keyed .* differs/,
  ],
  'NULL for an empty text': [
    'UPDATE parents SET name = NULL WHERE id = (SELECT min(id) FROM parents)',
    /parents .* differs/,
  ],
  'a row in another partition': [
    "UPDATE parted SET region = 'mars' WHERE ctid IN (SELECT ctid FROM parted LIMIT 1)",
    /parted/,
  ],
  'a key that prints in another way': [
    'UPDATE priced SET price = price * 1.000000000 WHERE ctid = (SELECT min(ctid) FROM priced)',
    /priced/,
  ],
  'the last digit of a float': ['UPDATE ops SET noise = noise + 1.1e-16 WHERE noise < 0.9', /ops .* differs/],
  'a counter that counted twice': ['UPDATE counters SET i = i + 1 WHERE id = 2', /counters \{2\} differs/],
  'an unfired trigger': ['UPDATE totals SET n = n + 1 WHERE bucket = 1', /target: not true that totals/],
};

t.test('a fault in the copy is found', async (t) => {
  for (const [name, [sql, says]] of Object.entries(IN_THE_COPY)) {
    const copy = await copyOf('planted');
    await server.query(`SET session_replication_role = replica; ${sql}`, 'planted');
    const findings = await judge(source, copy, journal);
    t.ok(
      findings.some((finding) => says.test(finding)),
      `${name}: ${findings[0] ?? 'nothing found'}`,
    );
    await end('planted');
    await server.query('DROP DATABASE planted');
  }
});

t.test('a fault in both copies is found', async (t) => {
  const counted = acked('count at once');
  const inBoth: Record<string, [string, RegExp]> = {
    'a counter that counted twice': ['UPDATE counters SET i = i + 1 WHERE id = 2', /source: not true that a counter/],
    'an acknowledged operation is lost': [
      `UPDATE counters SET i = i - o.delta FROM ops o WHERE o.op = '${counted}' AND id = o.counter;
       DELETE FROM ops WHERE op = '${counted}'`,
      /source: 1 operations were acknowledged and are lost/,
    ],
    'an operation that was rolled back is there': [
      `INSERT INTO ops (op, writer, kind) SELECT '${journal.operations.find(({ outcome }) => outcome === 'failed')?.id}', 'x', 'y'`,
      /source: 1 operations were told that they failed and are there/,
    ],
    'an insert was done twice': [
      'INSERT INTO entries (op, nth) SELECT op, nth FROM entries LIMIT 1',
      /source: not true that an operation has each of its entries once/,
    ],
    'half of a transfer': ['UPDATE accounts SET balance = balance + 1 WHERE id = 3', /source: not true that no money/],
    'a COPY lost a line': [
      'DELETE FROM copied WHERE id = (SELECT max(id::text)::uuid FROM copied)',
      /source: not true that a COPY is whole/,
    ],
  };
  for (const [name, [sql, says]] of Object.entries(inBoth)) {
    await copyOf('planted');
    await server.query(`BEGIN; ${sql}; COMMIT`, 'planted');
    const findings = await judge(server.url('planted'), server.url('planted'), journal);
    t.ok(
      findings.some((finding) => says.test(finding)),
      `${name}: ${findings[0] ?? 'nothing found'}`,
    );
    await end('planted');
    await server.query('DROP DATABASE planted');
  }
});
