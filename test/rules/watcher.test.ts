import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { PgfigError } from '../../src/errors/pgfig-error.js';
import type { RuleSet } from '../../src/rules/rule-set.js';
import { RulesWatcher } from '../../src/rules/watcher.js';
import { folderWith } from '../config/folder.js';

const rule = (table: string, phase = 'write-new'): string =>
  `domain: orders\ndatabase: orders_db\ntables: [public.${table}]\nphase: ${phase}\n`;

interface Watched {
  readonly watcher: RulesWatcher;
  readonly sets: RuleSet[];
  readonly errors: PgfigError[];
  until(condition: () => boolean): Promise<void>;
}

function watch(t: Test, dir: string, poll = 60_000): Watched {
  const sets: RuleSet[] = [];
  const errors: PgfigError[] = [];
  const watcher = new RulesWatcher(dir, {
    databases: ['monolith', 'orders_db'],
    default: 'monolith',
    settle: 20,
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
  t.equal(watcher.current.version, 1);
  writeFileSync(join(dir, 'orders.yaml'), rule('invoices'));
  await until(() => sets.length === 1);
  t.equal(watcher.current, sets[0]);
  t.equal(watcher.current.version, 2);
  t.ok(watcher.current.tables.has('public.invoices'));
});

t.test('files written by rename, added and removed', async (t) => {
  const dir = folderWith(t, { 'orders.yaml': rule('orders') });
  const { watcher, until } = watch(t, dir);
  writeFileSync(join(dir, '.orders.yaml.tmp'), rule('invoices'));
  renameSync(join(dir, '.orders.yaml.tmp'), join(dir, 'orders.yaml'));
  await until(() => watcher.current.tables.has('public.invoices'));
  writeFileSync(join(dir, 'b.yaml'), rule('b').replace('domain: orders', 'domain: b'));
  await until(() => watcher.current.tables.has('public.b'));
  rmSync(join(dir, 'orders.yaml'));
  await until(() => !watcher.current.tables.has('public.invoices'));
  t.same([...watcher.current.tables.keys()], ['public.b']);
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
  t.equal(watcher.current.version, 2);
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
  t.ok(watcher.current.tables.has('public.orders'));
  symlinkSync('..2', join(dir, '..data_tmp'));
  renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
  await until(() => watcher.current.tables.has('public.invoices'));
  t.equal(watcher.current.version, 2);
});

t.test('a folder that is itself replaced is seen by the poll', async (t) => {
  const parent = folderWith(t);
  const dir = join(parent, 'rules');
  mkdirSync(dir);
  writeFileSync(join(dir, 'orders.yaml'), rule('orders'));
  const { watcher, errors, until } = watch(t, dir, 20);
  renameSync(dir, join(parent, 'old'));
  await until(() => errors.length > 0);
  t.ok(watcher.current.tables.has('public.orders'), 'the last good set stays');
  mkdirSync(dir);
  writeFileSync(join(dir, 'orders.yaml'), rule('invoices'));
  await until(() => watcher.current.tables.has('public.invoices'));
});

t.test('reload() reads now, and throws what is wrong', async (t) => {
  const dir = folderWith(t, { 'orders.yaml': rule('orders') });
  const { watcher, sets } = watch(t, dir);
  t.equal(watcher.reload(), watcher.current, 'nothing changed');
  writeFileSync(join(dir, 'orders.yaml'), rule('invoices'));
  t.equal(watcher.reload().version, 2);
  t.equal(sets.length, 1);
  writeFileSync(join(dir, 'orders.yaml'), rule('invoices', 'retired'));
  t.throws(() => watcher.reload(), { code: 'RULES_INVALID' });
  t.equal(watcher.current.version, 2);
});

t.test('a folder that is broken at the start is an error', async (t) => {
  const dir = folderWith(t, { 'orders.yaml': 'x' });
  t.throws(() => new RulesWatcher(dir, { databases: ['m'], default: 'm' }), { code: 'RULES_INVALID' });
});
