import {
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { PgfigError } from '../../src/errors/pgfig-error.js';
import type { LoadedRules } from '../../src/rules/load.js';
import { RulesWatcher } from '../../src/rules/watcher.js';
import { folderWith } from '../config/folder.js';

const rule = (table: string, phase = 'write-new'): string =>
  `domain: orders\ndatabase: orders_db\ntables: [public.${table}]\nphase: ${phase}\n`;

interface Watched {
  readonly watcher: RulesWatcher;
  readonly sets: LoadedRules[];
  readonly errors: PgfigError[];
  until(condition: () => boolean): Promise<void>;
}

function watch(t: Test, dir: string, poll = 60_000, settle = 20): Watched {
  const sets: LoadedRules[] = [];
  const errors: PgfigError[] = [];
  const watcher = new RulesWatcher(dir, {
    databases: ['monolith', 'orders_db'],
    default: 'monolith',
    settle,
    poll,
    onChange: (set) => sets.push(set),
    onError: (error) => errors.push(error),
  });
  t.teardown(() => watcher.close());
  const until = async (condition: () => boolean): Promise<void> => {
    const deadline = Date.now() + 10_000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`not in time; sets ${sets.length}, errors ${errors.map(String)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return { watcher, sets, errors, until };
}

t.test('a changed file becomes a new set', async (t) => {
  const dir = folderWith(t, { 'orders.yaml': rule('orders') });
  const { watcher, sets, until } = watch(t, dir);
  t.equal(watcher.current.rules.version, 1);
  writeFileSync(join(dir, 'orders.yaml'), rule('invoices'));
  await until(() => sets.length === 1);
  t.equal(watcher.current, sets[0]);
  t.equal(watcher.current.rules.version, 2);
  t.ok(watcher.current.rules.tables.has('public.invoices'));
});

t.test('files written by rename, added and removed', async (t) => {
  const dir = folderWith(t, { 'orders.yaml': rule('orders') });
  const { watcher, until } = watch(t, dir);
  writeFileSync(join(dir, '.orders.yaml.tmp'), rule('invoices'));
  renameSync(join(dir, '.orders.yaml.tmp'), join(dir, 'orders.yaml'));
  await until(() => watcher.current.rules.tables.has('public.invoices'));
  writeFileSync(join(dir, 'b.yaml'), rule('b').replace('domain: orders', 'domain: b'));
  await until(() => watcher.current.rules.tables.has('public.b'));
  rmSync(join(dir, 'orders.yaml'));
  await until(() => !watcher.current.rules.tables.has('public.invoices'));
  t.same([...watcher.current.rules.tables.keys()], ['public.b']);
});

t.test('a broken file leaves the last good set, and is told once', async (t) => {
  const dir = folderWith(t, { 'orders.yaml': rule('orders') });
  const { watcher, sets, errors, until } = watch(t, dir, 20);
  const good = watcher.current;
  writeFileSync(join(dir, 'orders.yaml'), 'domain: [');
  await until(() => errors.length > 0);
  t.equal(watcher.current, good);
  t.match(watcher.error, { code: 'RULES_INVALID', message: /orders\.yaml:1:\d+: not valid YAML/ });
  rmSync(join(dir, 'orders.yaml'));
  writeFileSync(join(dir, 'orders.yaml'), rule('orders'));
  await until(() => watcher.error === null);
  t.equal(watcher.current, good, 'the same text again is the same set');
  t.equal(errors.length, 1, 'polls do not repeat it');
  t.equal(sets.length, 0);
});

t.test('a touched file changes nothing', async (t) => {
  const dir = folderWith(t, { 'orders.yaml': rule('orders') });
  const { watcher, sets, until } = watch(t, dir);
  utimesSync(join(dir, 'orders.yaml'), new Date(), new Date());
  writeFileSync(join(dir, 'b.yaml'), rule('b').replace('domain: orders', 'domain: b'));
  await until(() => sets.length > 0);
  t.equal(watcher.current.rules.version, 2);
});

t.test('a swap of symlinks, as a ConfigMap is updated', async (t) => {
  const dir = folderWith(t);
  for (const [name, table] of [
    ['..1', 'orders'],
    ['..2', 'invoices'],
  ] as const) {
    mkdirSync(join(dir, name));
    writeFileSync(join(dir, name, 'orders.yaml'), rule(table));
  }
  symlinkSync('..1', join(dir, '..data'));
  symlinkSync('..data/orders.yaml', join(dir, 'orders.yaml'));
  const { watcher, until } = watch(t, dir);
  t.ok(watcher.current.rules.tables.has('public.orders'));
  symlinkSync('..2', join(dir, '..data_tmp'));
  renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
  await until(() => watcher.current.rules.tables.has('public.invoices'));
  t.equal(watcher.current.rules.version, 2);
});

t.test('a folder that is itself replaced is seen by the poll', async (t) => {
  const parent = folderWith(t);
  const dir = join(parent, 'rules');
  mkdirSync(dir);
  writeFileSync(join(dir, 'orders.yaml'), rule('orders'));
  const { watcher, errors, until } = watch(t, dir, 20);
  renameSync(dir, join(parent, 'old'));
  await until(() => errors.length > 0);
  t.ok(watcher.current.rules.tables.has('public.orders'), 'the last good set stays');
  mkdirSync(dir);
  writeFileSync(join(dir, 'orders.yaml'), rule('invoices'));
  await until(() => watcher.current.rules.tables.has('public.invoices'));
});

t.test('a folder that is a link, switched to another release, is seen by the poll', async (t) => {
  const parent = folderWith(t);
  for (const [name, table] of [
    ['r1', 'orders'],
    ['r2', 'invoices'],
  ] as const) {
    mkdirSync(join(parent, name));
    writeFileSync(join(parent, name, 'orders.yaml'), rule(table));
  }
  symlinkSync('r1', join(parent, 'current'));
  const { watcher, sets, until } = watch(t, join(parent, 'current'), 20);
  symlinkSync('r2', join(parent, 'next'));
  renameSync(join(parent, 'next'), join(parent, 'current'));
  await until(() => watcher.current.rules.tables.has('public.invoices'));
  writeFileSync(join(parent, 'r2', 'orders.yaml'), rule('receipts'));
  await until(() => watcher.current.rules.tables.has('public.receipts'));
  t.equal(sets.length, 2);
});

t.test('a file that is half written is read when it is whole, and once', async (t) => {
  const dir = folderWith(t, { 'orders.yaml': rule('orders') });
  const { watcher, sets, errors, until } = watch(t, dir, 60_000, 200);
  const text = rule('invoices');
  const file = openSync(join(dir, 'orders.yaml'), 'w');
  writeSync(file, text.slice(0, 30));
  await new Promise((resolve) => setTimeout(resolve, 50));
  writeSync(file, text.slice(30));
  closeSync(file);
  await until(() => watcher.current.rules.tables.has('public.invoices'));
  t.strictSame([sets.length, errors.length], [1, 0]);
});

t.test('a thousand quick writes end with the last, in few readings', async (t) => {
  const dir = folderWith(t, { 'orders.yaml': rule('orders') });
  const { watcher, sets, errors, until } = watch(t, dir, 60_000, 50);
  for (let n = 1; n <= 1_000; n++) {
    writeFileSync(join(dir, '.orders.tmp'), rule(`t${n}`));
    renameSync(join(dir, '.orders.tmp'), join(dir, 'orders.yaml'));
    if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => watcher.current.rules.tables.has('public.t1000'));
  t.ok(sets.length <= 10, `${sets.length} readings`);
  t.equal(errors.length, 0);
});

t.test('reload() reads now, and throws what is wrong', async (t) => {
  const dir = folderWith(t, { 'orders.yaml': rule('orders') });
  const { watcher, sets } = watch(t, dir);
  t.equal(watcher.reload(), watcher.current, 'nothing changed');
  writeFileSync(join(dir, 'orders.yaml'), rule('invoices'));
  t.equal(watcher.reload().rules.version, 2);
  t.equal(sets.length, 1);
  writeFileSync(join(dir, 'orders.yaml'), rule('invoices', 'moved'));
  t.throws(() => watcher.reload(), { code: 'RULES_INVALID' });
  t.equal(watcher.current.rules.version, 2);
});

t.test('a folder that is broken at the start is an error', async (t) => {
  const dir = folderWith(t, { 'orders.yaml': 'x' });
  t.throws(() => new RulesWatcher(dir, { databases: ['m'], default: 'm' }), { code: 'RULES_INVALID' });
});
