import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { PgfigError } from '../../src/errors/pgfig-error.js';
import { faults, folderWith } from './folder.js';

const ONE = 'databases:\n  monolith: { url: "postgres://127.0.0.1:5432/shop" }\n';

t.test('the smallest file gets all defaults', async (t) => {
  const folder = folderWith(t, { 'pgfig.yaml': ONE });
  const config = loadConfig(join(folder, 'pgfig.yaml'), {});
  t.match(config, {
    file: join(folder, 'pgfig.yaml'),
    listen: { host: '127.0.0.1', port: 6432, backlog: 511, tls: null },
    admin: { host: '127.0.0.1', port: 6433, token: null, users: null },
    default: 'monolith',
    rules: join(folder, 'routing-rules'),
    auth: { method: 'trust', users: null, query: null },
    limits: { clients: 10_000, clientsPerUser: 10_000, authTimeout: 60_000, drainTimeout: 30_000 },
    cache: { entries: 25_000, bytes: 96 * 1024 * 1024 },
    log: { level: 'info' },
    services: [],
    matrix: { enabled: true, flushInterval: 10_000, topic: null },
    verify: null,
    accessLog: null,
    kafka: null,
  });
  t.ok(config.listen.workers >= 1);
  t.equal(config.control, config.databases.get('monolith'), 'the control connection is the default database');
});

t.test('every key is read', async (t) => {
  const folder = folderWith(t, {
    'users.txt': '"a" "b"\n',
    'pgfig.yaml': `
listen: { host: "::1", port: 7000, workers: 3, backlog: 9 }
admin: { host: localhost, port: 7001, token: "\${TOKEN}", users: [ann] }
databases:
  old: { url: "postgresql://bob:p%40ss@db.example:5555/shop?sslmode=verify-full&sslrootcert=ca.pem&connect_timeout=3" }
  new: { url: "postgres:///orders?host=/var/run/postgresql&user=ann" }
default: old
homes: { order-service: new }
rules: my-rules
auth: { method: md5, users: users.txt, query: "SELECT 1" }
control: { url: "postgres://pgfig@[::1]/shop" }
limits: { clients: 10, clientsPerUser: 5, authTimeout: 1.5s, drainTimeout: 2m }
cache: { entries: 5, bytes: 16MB }
log: { level: debug }
kafka: { brokers: ["127.0.0.1:9092"], topicPrefix: shop. }
`,
  });
  const config = loadConfig(join(folder, 'pgfig.yaml'), { TOKEN: '12345' });
  t.match(config, {
    listen: { host: '::1', port: 7000, workers: 3, backlog: 9 },
    admin: { host: 'localhost', port: 7001, token: '12345', users: ['ann'] },
    default: 'old',
    rules: join(folder, 'my-rules'),
    auth: { method: 'md5', users: join(folder, 'users.txt'), query: 'SELECT 1' },
    control: { name: 'control', host: '::1', port: 5432, user: 'pgfig', dbname: 'shop' },
    limits: { clients: 10, clientsPerUser: 5, authTimeout: 1500, drainTimeout: 120_000 },
    cache: { entries: 5, bytes: 16 * 1024 * 1024 },
    log: { level: 'debug' },
    kafka: { brokers: ['127.0.0.1:9092'], topicPrefix: 'shop.' },
  });
  t.same([...config.homes], [['order-service', 'new']]);
  t.same(config.databases.get('old'), {
    name: 'old',
    host: 'db.example',
    port: 5555,
    dbname: 'shop',
    user: 'bob',
    password: 'p@ss',
    sslmode: 'verify-full',
    sslrootcert: join(folder, 'ca.pem'),
    sslcert: null,
    sslkey: null,
    connectTimeout: 3000,
  });
  t.match(config.databases.get('new'), { host: '/var/run/postgresql', user: 'ann', password: null, sslmode: 'prefer' });
});

t.test('the environment is put in, also where a number is wanted', async (t) => {
  const text = `listen: { port: "\${PORT}" }\ndatabases:\n  monolith: { url: "postgres://\${HOST:-localhost}/$\${x}\${EMPTY}" }\n`;
  const folder = folderWith(t, { 'p.yaml': text });
  const config = loadConfig(join(folder, 'p.yaml'), { PORT: '7777', EMPTY: '' });
  t.equal(config.listen.port, 7777);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: $${x} means it
  t.match(config.databases.get('monolith'), { host: 'localhost', dbname: '${x}' });
});

t.test('a value of the environment is never YAML, nor shown', async (t) => {
  const folder = folderWith(t, { 'p.yaml': `${ONE}admin: { token: "\${T}" }\nlog: { level: "\${L}" }\n` });
  t.equal(loadConfig(join(folder, 'p.yaml'), { T: '} evil: [', L: 'info' }).admin.token, '} evil: [');
  const shown = faults(folder, () => loadConfig(join(folder, 'p.yaml'), { T: '', L: 'hunter2' }));
  t.same(shown, [
    'p.yaml:3:17: admin.token must not be empty. Correct the value.',
    'p.yaml:4:15: log.level is not one of the known values. Use one of trace, debug, info, warn, error, fatal, silent.',
  ]);
});

t.test('all faults are told at once, each with its place', async (t) => {
  const folder = folderWith(t, {
    'p.yaml': `listen: { prot: 1, port: 99999, tls: { cert: a.crt } }
databases:
  monolith: { url: "postgres://bob:hunter2@127.0.0.1/shop?foo=1" }
  any: { url: "mysql://bob:hunter2@x" }
  b: { urll: "\${NOPE}" }
default: nix
homes:
  a: zz
limits:
  authTimeout: 5
auth: { method: foo }
log: { level: "\${LEVEL}" }
bogus: 1
kafka: { brokers: [] }
cache: { bytes: 12XB }
admin: { host: 0.0.0.0 }
`,
  });
  const shown = faults(folder, () => loadConfig(join(folder, 'p.yaml'), {}));
  t.same(shown, [
    'p.yaml:1:11: unknown key "prot" in listen. Valid keys: host, port, workers, backlog, tls.',
    'p.yaml:1:26: listen.port must be a whole number from 0 to 65535. Correct the value.',
    'p.yaml:1:33: listen.tls.key is missing. Add it below listen.tls.',
    'p.yaml:3:20: the url has an unknown parameter "foo". Known ones: host, port, user, password, dbname, sslmode, sslrootcert, sslcert, sslkey, connect_timeout.',
    'p.yaml:4:3: "any" is not a name for a database: letters, digits, _ and -, not "any" or "every". Rename it.',
    'p.yaml:4:15: the url does not begin with postgres:// or postgresql://. Write postgres://user@host:5432/dbname.',
    'p.yaml:5:3: databases.b.url is missing. Add it below databases.b.',
    'p.yaml:5:8: unknown key "urll" in databases.b. Valid keys: url.',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what the message holds
    'p.yaml:5:14: the environment variable NOPE is not set. Set it, or write ${NOPE:-value} to give a default.',
    'p.yaml:6:10: default names a database that is not configured. Use one of monolith, any, b.',
    'p.yaml:8:6: homes.a names a database that is not configured. Use one of monolith, any, b.',
    'p.yaml:10:16: limits.authTimeout must be a duration with its unit, such as 500ms, 30s or 2m. Correct the value.',
    'p.yaml:11:17: auth.method is not one of the known values. Use one of trust, scram-sha-256, md5, password, cert.',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what the message holds
    'p.yaml:12:15: the environment variable LEVEL is not set. Set it, or write ${LEVEL:-value} to give a default.',
    'p.yaml:13:1: unknown key "bogus". Valid keys: databases, default, rules, homes, listen, admin, auth, control, limits, cache, log, services, matrix, accessLog, kafka, verify.',
    'p.yaml:14:19: kafka.brokers must name at least one broker. Correct the value.',
    'p.yaml:15:17: cache.bytes must be a size with its unit, such as 512kB or 64MB. Correct the value.',
    'p.yaml:16:16: the admin endpoint would be open to the network. Set admin.token, or listen on 127.0.0.1.',
  ]);
  t.notMatch(shown.join(), /hunter2/, 'no secret is shown');
});

const REFUSED: readonly (readonly [what: string, yaml: string, says: RegExp])[] = [
  ['text that is no YAML', 'databases: [', /^p\.yaml:1:13: not valid YAML: /],
  ['the same key twice', `${ONE}log: {}\nlog: {}\n`, /^p\.yaml:4:1: not valid YAML: Map keys must be unique/],
  ['an empty file', '', /^p\.yaml:1:1: databases is missing/],
  ['a list', '- a\n', /^p\.yaml:1:1: the file must be a mapping/],
  ['no database', 'databases: {}\n', /^p\.yaml:1:12: databases must name at least one database/],
  [
    'two databases and no default',
    'databases: { a: { url: "postgres://x/y" }, b: { url: "postgres://x/z" } }\n',
    /^p\.yaml:1:12: which database is the default is not said\. Add default: with one of a, b/,
  ],
  ['a url without a database', 'databases: { a: { url: "postgres://bob:hunter2@x" } }\n', /the url names no database/],
  [
    'a url with a bad port',
    'databases: { a: { url: "postgres://x/y?port=0" } }\n',
    /the port in the url is not a number/,
  ],
  ['a url with a bad host', 'databases: { a: { url: "postgres://bob:hunter2@a b/y" } }\n', /the url cannot be read/],
  ['a url with two hosts', 'databases: { a: { url: "postgres://a:1,b:2/y" } }\n', /the url cannot be read/],
  [
    'a url with a bad sslmode',
    'databases: { a: { url: "postgres://x/y?sslmode=on" } }\n',
    /the sslmode in the url is not known\. Use one of disable, /,
  ],
  [
    'a client certificate without its key',
    'databases: { a: { url: "postgres://x/y?sslcert=a" } }\n',
    /only one of sslcert and sslkey/,
  ],
  [
    'a password without a user',
    'databases: { a: { url: "postgres://x/y?password=hunter2" } }\n',
    /a password but no user/,
  ],
  [
    'a bad connect_timeout',
    'databases: { a: { url: "postgres://x/y?connect_timeout=1s" } }\n',
    /connect_timeout in the url is not a whole number/,
  ],
  ['a bad control url', `${ONE}control: { url: "foo" }\n`, /^p\.yaml:3:17: the url does not begin with/],
  ['the same port twice', `${ONE}admin: { port: 6432 }\n`, /admin\.port and listen\.port are the same/],
  [
    'an open address without auth',
    `${ONE}listen: { host: 0.0.0.0 }\n`,
    /auth is missing while listen\.host is open to the network/,
  ],
  [
    'a method that needs users',
    `${ONE}auth: { method: scram-sha-256 }\n`,
    /^p\.yaml:3:7: auth\.method scram-sha-256 needs to know the users/,
  ],
  [
    'a userlist that is not there',
    `${ONE}auth: { users: nix.txt }\n`,
    /^p\.yaml:3:16: the file .*nix\.txt cannot be read/,
  ],
  ['cert without client certificates', `${ONE}auth: { method: cert }\n`, /auth\.method cert needs client certificates/],
  [
    'a section that is no mapping',
    `${ONE}listen: 6432\n`,
    /^p\.yaml:3:9: listen must be a mapping of keys to values\. Valid keys: host, port, workers, backlog, tls/,
  ],
];

for (const [what, yaml, says] of REFUSED) {
  t.test(`refused: ${what}`, async (t) => {
    const folder = folderWith(t, { 'p.yaml': yaml });
    const shown = faults(folder, () => loadConfig(join(folder, 'p.yaml'), {}));
    t.match(shown, [says], shown.join('\n'));
    t.equal(shown.length, 1, `one message: ${shown.join('\n')}`);
    t.notMatch(shown.join(), /hunter2/, 'no secret is shown');
  });
}

t.test('a key whose section is commented out counts as not given', async (t) => {
  const folder = folderWith(t, { 'p.yaml': `${ONE}listen:\n#  port: 1\nauth:\n` });
  t.equal(loadConfig(join(folder, 'p.yaml'), {}).listen.port, 6432);
});

t.test('a file that is not there', async (t) => {
  const folder = folderWith(t);
  t.throws(() => loadConfig(join(folder, 'p.yaml'), {}), {
    code: 'FILE_UNREADABLE',
    message: /p\.yaml cannot be read \(ENOENT\)/,
  });
  t.throws(() => loadConfig(join(folder, 'p.yaml'), {}), PgfigError);
});
