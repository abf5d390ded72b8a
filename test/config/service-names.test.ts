import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { ServiceNames } from '../../src/config/service-names.js';
import { faults, folderWith } from './folder.js';

const ONE = 'databases:\n  monolith: { url: "postgres://127.0.0.1:5432/shop" }\nservices:\n';

function names(t: Test, ...rules: string[]): ServiceNames {
  const yaml = ONE + rules.map((rule) => `  - ${rule}\n`).join('');
  return new ServiceNames(loadConfig(join(folderWith(t, { 'p.yaml': yaml }), 'p.yaml'), {}).services);
}

t.test('without a rule: application_name, or else the user', async (t) => {
  const none = new ServiceNames([]);
  t.equal(none.nameOf('orders', 'ann', '10.1.2.3'), 'orders');
  t.equal(none.nameOf('', 'ann', ''), 'ann');
  const one = names(t, '{ name: x, user: "^bob$" }');
  t.equal(one.nameOf('orders', 'ann', '10.1.2.3'), 'orders');
  t.equal(one.nameOf('', 'ann', ''), 'ann');
});

t.test('the first rule of which all conditions hold', async (t) => {
  const rules = names(
    t,
    '{ name: order-service, applicationName: "^orders-", user: "^orders$", address: 10.1.0.0/16 }',
    '{ name: orders-elsewhere, applicationName: "^orders-" }',
    '{ name: reporting, user: "^(bi|etl)_" }',
    '{ name: batch, address: ["10.9.0.7", "2001:db8::/32"] }',
  );
  t.equal(rules.nameOf('orders-1', 'orders', '10.1.255.1'), 'order-service');
  t.equal(rules.nameOf('orders-1', 'orders2', '10.1.255.1'), 'orders-elsewhere');
  t.equal(rules.nameOf('orders-1', 'orders', '10.2.0.1'), 'orders-elsewhere');
  t.equal(rules.nameOf('psql', 'etl_nightly', '10.9.0.7'), 'reporting', 'the first, though the last holds too');
  t.equal(rules.nameOf('psql', 'ann', '10.9.0.7'), 'batch');
  t.equal(rules.nameOf('psql', 'ann', '2001:DB8::5'), 'batch');
  t.equal(rules.nameOf('psql', 'ann', '2001:db9::5'), 'psql');
  t.equal(rules.nameOf('psql', 'ann', '10.9.0.8'), 'psql');
});

t.test('addresses in all their forms', async (t) => {
  const rules = names(t, '{ name: v4, address: 10.1.0.0/16 }', '{ name: v6, address: ["::1", "fe80::/10"] }');
  t.equal(rules.nameOf('a', 'u', '::ffff:10.1.2.3'), 'v4', 'an IPv4 client of a socket that listens on ::');
  t.equal(rules.nameOf('a', 'u', '::FFFF:10.1.2.3'), 'v4');
  t.equal(rules.nameOf('a', 'u', '::1'), 'v6');
  t.equal(rules.nameOf('a', 'u', 'fe80::1%eth0'), 'v6', 'with a zone');
  t.equal(rules.nameOf('a', 'u', ''), 'a', 'a Unix socket is in no network');
  t.equal(rules.nameOf('a', 'u', 'nonsense'), 'a');
  const all = names(t, '{ name: all, address: ["0.0.0.0/0", "::/0"] }');
  t.equal(all.nameOf('a', 'u', '1.2.3.4'), 'all');
  t.equal(all.nameOf('a', 'u', '1::2'), 'all');
  t.equal(all.nameOf('a', 'u', ''), 'a');
});

t.test('groups of the application_name in the name', async (t) => {
  const rules = names(
    t,
    '{ name: "$1", applicationName: "^(?:pod-)?([a-z]+)-[0-9]+$" }',
    '{ name: "$2.$1$$", applicationName: "^(.*)/(.*)$" }',
    '{ name: "$1", applicationName: "^tool( .*)?$" }',
  );
  t.equal(rules.nameOf('pod-orders-17', 'u', ''), 'orders');
  t.equal(rules.nameOf('a/b', 'u', ''), 'b.a$$', 'other $ stay');
  t.equal(rules.nameOf('$&/$1', 'u', ''), '$1.$&$$', 'what a client says is never a pattern');
  t.equal(rules.nameOf('tool', 'u', ''), 'tool', 'a name that came out empty is none');
});

t.test('names are remembered, and not mixed up', async (t) => {
  const rules = names(t, '{ name: "$1", applicationName: "^(.)" }');
  for (let i = 0; i < 30_000; i++) rules.nameOf(`${i}`, 'u', '');
  t.equal(rules.nameOf('7x', 'u', ''), '7');
  t.equal(rules.nameOf('', 'ab', ''), 'ab');
  t.equal(rules.nameOf('a', 'b', ''), 'a');
});

const REFUSED: readonly (readonly [rule: string, ...says: string[]])[] = [
  ['{ name: a }', '4:5: services.0 has no condition. Add applicationName, user or address.'],
  ['{ user: a }', '4:5: services.0.name is missing. Add it below services.0.'],
  ['{ name: "", user: a }', '4:13: services.0.name must not be empty. Correct the value.'],
  [
    '{ name: a, applicationName: "(" }',
    '4:33: services.0.applicationName is not a regular expression (Unterminated group). Correct it.',
  ],
  [
    '{ name: a, user: "[b-a]" }',
    '4:22: services.0.user is not a regular expression (Range out of order in character class). Correct it.',
  ],
  [
    '{ name: a, address: 10.0.0.0/33 }',
    '4:25: services.0.address is neither an IP address nor a network. Write for example 10.1.2.3 or 10.1.0.0/16.',
  ],
  [
    '{ name: a, address: ["::1", host.example] }',
    '4:33: services.0.address.1 is neither an IP address nor a network. Write for example 10.1.2.3 or 10.1.0.0/16.',
  ],
  ['{ name: a, address: [] }', '4:25: services.0.address must name at least one address. Correct the value.'],
  [
    '{ name: a, address: 5 }',
    '4:25: services.0.address must be an IP address, a network such as 10.1.0.0/16, or a list of them. Correct the value.',
  ],
  [
    '{ name: "$2", applicationName: "^(a)" }',
    '4:13: services.0.name uses $2, but applicationName has only 1 group. Put what is meant in ( ).',
  ],
  [
    '{ name: "$1", user: a }',
    '4:13: services.0.name uses $1, but there is no applicationName. Add one with what is meant in ( ).',
  ],
  [
    '{ name: a, usr: a, user: b }',
    '4:16: unknown key "usr" in services.0. Valid keys: name, applicationName, user, address.',
  ],
  ['5', '4:5: services.0 must be a mapping of keys to values. Valid keys: name, applicationName, user, address.'],
];

for (const [rule, ...says] of REFUSED) {
  t.test(`refused: ${rule}`, async (t) => {
    const folder = folderWith(t, { 'p.yaml': `${ONE}  - ${rule}\n` });
    const shown = faults(folder, () => loadConfig(join(folder, 'p.yaml'), {}));
    t.same(
      shown,
      says.map((line) => `p.yaml:${line}`),
    );
  });
}
