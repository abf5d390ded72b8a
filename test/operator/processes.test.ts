import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Config } from '../../src/config/config.js';
import { loadConfig } from '../../src/config/load.js';
import { LineLimiter } from '../../src/operator/log/line-limiter.js';
import { Asks } from '../../src/operator/processes/asks.js';
import { mockAuthKey } from '../../src/operator/processes/auth-key.js';
import { BackOff } from '../../src/operator/processes/back-off.js';
import { SessionCountBook, SessionTally } from '../../src/operator/processes/session-counts.js';
import { configFromWire, configToWire, rulesFromWire, rulesToWire } from '../../src/operator/processes/wire-forms.js';
import { loadRules } from '../../src/rules/load.js';

const throughPipe = <T>(value: T): T => JSON.parse(JSON.stringify(value));

t.test('configuration and rules cross a pipe unchanged', async (t) => {
  const folder = t.testdir({
    'pgfig.yaml': `
databases:
  monolith: { url: "postgres://ann:secret@127.0.0.1:5432/shop" }
  orders_db: { url: "postgres://127.0.0.1:5433/orders" }
homes: { order-service: orders_db }
limits: { clients: 7 }`,
    rules: {
      'o.yaml': 'domain: orders\ndatabase: orders_db\ntables: [public.orders, public.payments]\nphase: write-new\n',
    },
  });
  const config = loadConfig(join(folder, 'pgfig.yaml'));
  t.strictSame(configFromWire(throughPipe(configToWire(config))), config);
  const rules = loadRules(join(folder, 'rules'), {
    databases: config.databases.keys(),
    default: 'monolith',
    version: 3,
  });
  t.strictSame(rulesFromWire(throughPipe(rulesToWire(rules))), { ...rules });
});

t.test('each worker knows of the sessions of the others', async (t) => {
  const book = new SessionCountBook();
  book.set(1, { total: 3, byUser: { ann: 2, __proto__: 1, bob: 1 } });
  book.set(2, { total: 2, byUser: { ann: 2 } });
  book.set(3, { total: 1, byUser: { toString: 1 } });
  t.match(book.others(1), { total: 3, byUser: { ann: 2, toString: 1 } });
  t.match(book.others(2), { total: 4, byUser: { ann: 2, bob: 1, toString: 1 } });
  t.equal(book.others(null).total, 6);
  book.clear(1);
  t.equal(book.others(2).total, 1);
  t.equal(book.of(1).total, 0);
});

t.test('a tally forgets users that have left', async (t) => {
  const tally = new SessionTally();
  tally.opened('ann');
  tally.opened('ann');
  tally.opened('bob');
  tally.closed('bob');
  tally.closed('ann');
  t.strictSame(tally.counts(), { total: 1, byUser: { ann: 1 } });
});

t.test('replacements wait longer while they die young', async (t) => {
  const backOff = new BackOff();
  t.strictSame(
    [1, 1, 1, 1, 1, 1, 1, 1].map((lived) => backOff.next(lived)),
    [100, 200, 400, 800, 1600, 3200, 5000, 5000],
  );
  t.equal(backOff.next(60_000), 0);
  t.equal(backOff.next(1), 100);
});

t.test('a question has an answer or an end', async (t) => {
  const asks = new Asks<string>((id) => setImmediate(() => id !== 2 && asks.answer(id, `answer ${id}`)), 20);
  t.equal(await asks.ask(), 'answer 1');
  await t.rejects(asks.ask(), /does not answer/);
  asks.answer(2, 'too late');
  t.equal(await asks.ask(), 'answer 3');
});

t.test('lines that repeat are held back and counted', async (t) => {
  const limiter = new LineLimiter();
  const admitted = Array.from({ length: 25 }, () => limiter.admit('a', 1_000)).filter((held) => held !== null);
  t.equal(admitted.length, 10);
  t.equal(limiter.admit('b', 1_000), 0, 'other lines are not');
  t.equal(limiter.admit('a', 2_000), 15);
  t.equal(limiter.admit('a', 3_001), 0);
});

t.test('the key for made-up salts stays over a restart where there is a userlist', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pgfig-key-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const users = join(folder, 'userlist.txt');
  const config = (path: string | null) => ({ auth: { method: 'scram-sha-256', users: path, query: null } }) as Config;
  writeFileSync(users, '"ann" "secret"\n');
  t.strictSame(await mockAuthKey(config(users)), await mockAuthKey(config(users)));
  t.notSame(await mockAuthKey(config(null)), await mockAuthKey(config(null)));
  writeFileSync(users, '');
  t.notSame(await mockAuthKey(config(users)), await mockAuthKey(config(users)), 'an empty file is no secret');
});
