import { join } from 'node:path';
import t, { type Test } from 'tap';
import { consoleWarnings, isConsole, mayUseConsole } from '../../src/config/console-access.js';
import { loadConfig } from '../../src/config/load.js';
import { faults, folderWith } from './folder.js';

const SHOP = 'databases:\n  monolith: { url: "postgres://127.0.0.1:5432/shop" }\n';

const load = (t: Test, yaml: string) =>
  loadConfig(join(folderWith(t, { 'p.yaml': SHOP + yaml, 'users.txt': '"ann" "x"\n' }), 'p.yaml'), {});

t.test('nobody may use the console unless named, but where everybody is trusted on loopback', async (t) => {
  const cases: [yaml: string, ann: boolean, bob: boolean][] = [
    ['', true, true],
    ['auth: { method: trust }\n', true, true],
    ['auth: { method: trust }\nlisten: { host: 0.0.0.0 }\n', false, false],
    ['auth: { users: users.txt }\n', false, false],
    ['auth: { users: users.txt }\nadmin: { users: [ann] }\n', true, false],
    ['admin: { users: [ann] }\n', true, false],
    ['admin: { users: [] }\n', false, false],
  ];
  for (const [yaml, ann, bob] of cases) {
    const config = load(t, yaml);
    t.equal(mayUseConsole(config, 'ann'), ann, `ann: ${yaml}`);
    t.equal(mayUseConsole(config, 'bob'), bob, `bob: ${yaml}`);
  }
});

t.test('a list that is none is a fault', async (t) => {
  const folder = folderWith(t, { 'p.yaml': `${SHOP}admin: { users: ann }\n` });
  t.same(
    faults(folder, () => loadConfig(join(folder, 'p.yaml'), {})),
    ['p.yaml:3:17: admin.users must be a list of users. Correct the value.'],
  );
});

t.test('the console answers as pgfig, unless services are routed by that name', async (t) => {
  const config = load(t, '');
  t.ok(isConsole(config, 'pgfig'));
  t.notOk(isConsole(config, 'PGFIG'));
  t.notOk(isConsole(config, 'shop'));
  t.same(consoleWarnings(config), []);
  const folder = folderWith(t, { 'p.yaml': 'databases:\n  monolith: { url: "postgres:///pgfig" }\n' });
  const hidden = loadConfig(join(folder, 'p.yaml'), {});
  t.notOk(isConsole(hidden, 'pgfig'));
  t.match(consoleWarnings(hidden), [/console cannot be reached/]);
});

t.test('names that anyone can give are warned of', async (t) => {
  const open = load(t, 'auth: { method: trust }\nlisten: { host: 0.0.0.0 }\nadmin: { users: [ann] }\n');
  t.match(consoleWarnings(open), [/whoever gives a name of admin\.users/]);
});
