import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { writeConfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';
import { pgfig } from './cli-run.js';

/**
 * The rows of docs/bad-input.md that need no running proxy. `serve` and `check` must both refuse what is wrong with
 * the files, with the same words, before anything is opened.
 */

const ports = { listen: 6432, admin: 6433 };
const databases = { monolith: 'postgres://bob:hunter2@127.0.0.1:1/shop', orders_db: 'postgres://127.0.0.1:1/orders' };
const RULE = { database: 'orders_db', phase: 'write-new', tables: ['public.orders'] };
type Over = Parameters<typeof writeConfig>[0];
const config = (over: Partial<Over> = {}): Promise<string> =>
  writeConfig({ databases, rules: { orders: RULE }, ...over }, ports);

interface Row {
  readonly what: string;
  readonly file: () => Promise<string>;
  readonly says: RegExp;
}

const FILES: readonly Row[] = [
  {
    what: 'no configuration',
    file: async () => path.join(path.dirname(await config()), 'nix.yaml'),
    says: /the configuration file .*nix\.yaml cannot be read \(ENOENT\)\nhint: /,
  },
  {
    what: 'broken configuration: no YAML',
    file: async () => {
      const file = await config();
      writeFileSync(file, 'databases: [\n');
      return file;
    },
    says: /pgfig\.yaml:\d+:\d+: not valid YAML: /,
  },
  {
    what: 'broken configuration: unknown key',
    file: () => config({ config: { listen: { prot: 1 } } }),
    says: /pgfig\.yaml:\d+:3: unknown key "prot" in listen\. Valid keys: host, port, /,
  },
  {
    what: 'a missing environment variable',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what the file holds
    file: () => config({ config: { admin: { token: '${PGFIG_TEST_NOT_SET}' } } }),
    says: /pgfig\.yaml:\d+:\d+: the environment variable PGFIG_TEST_NOT_SET is not set\. Set it, or write /,
  },
  {
    what: 'rules folder missing',
    file: async () => {
      const file = await config();
      rmSync(path.join(path.dirname(file), 'routing-rules'), { recursive: true });
      return file;
    },
    says: /the rules folder .*routing-rules cannot be read \(ENOENT\)\nhint: Create the folder/,
  },
  {
    what: 'unknown database in a rule',
    file: () => config({ rules: { orders: { ...RULE, database: 'nix' } } }),
    says: /orders\.yaml:2:11: unknown database "nix"\. Use one of monolith, orders_db, or add it to databases in pgfig\.yaml\./,
  },
  {
    what: 'table in two domains',
    file: () => config({ rules: { billing: RULE, orders: RULE } }),
    says: /orders\.yaml:5:5: table public\.orders is already in domain billing at .*billing\.yaml:5:5\. /,
  },
  {
    what: 'unknown phase',
    file: () => config({ rules: { orders: { ...RULE, phase: 'moved' } } }),
    says: /orders\.yaml:3:8: phase is not one of the known values\. Use one of monolith, dual-write, shadow-read, read-new, write-new, retired\./,
  },
  {
    what: 'certificate missing',
    file: () => config({ config: { listen: { tls: { cert: 'nix.crt', key: 'nix.key' } } } }),
    says: /pgfig\.yaml:\d+:11: the file .*nix\.crt cannot be read \(ENOENT\)\. Correct the path or the permissions\.\n.*pgfig\.yaml:\d+:10: the file .*nix\.key/,
  },
  {
    what: 'certificate and key that do not belong together',
    file: async () => {
      const file = await config({ config: { listen: { tls: { cert: 'a.crt', key: 'b.key' } } } });
      for (const name of ['a', 'b']) {
        const request = [
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-subj',
          '/CN=x',
        ];
        execFileSync('openssl', [...request, '-keyout', `${name}.key`, '-out', `${name}.crt`], {
          cwd: path.dirname(file),
          stdio: 'ignore',
        });
      }
      return file;
    },
    says: /the private key .*b\.key does not belong to the certificate .*a\.crt\. Use the pair\./,
  },
];

for (const { what, file, says } of FILES) {
  t.test(what, async (t) => {
    const name = await file();
    const [serve, check] = await Promise.all([pgfig(['serve', '-c', name]), pgfig(['check', '-c', name])]);
    t.match(serve.stderr, says, 'serve');
    // check goes on after a fault of the rules, and has it among its other lines.
    t.match(check.stdout + check.stderr, says, 'check');
    for (const { code, stdout, stderr } of [serve, check]) {
      t.equal(code, 2, 'exit code');
      t.notMatch(stdout + stderr, /hunter2|\n {4}at /, 'no secret, no stack');
    }
  });
}

t.test('unparsable SQL', async (t) => {
  const { code, stdout } = await pgfig(['explain', '-c', await config(), '--offline', '--json', 'SELEC 1']);
  t.match(JSON.parse(stdout), {
    statements: [
      { kind: 'unparsable', route: 'monolith', reason: /cannot be parsed.*syntax error at or near "SELEC"/ },
    ],
  });
  t.equal(code, 0);
});

t.test('backend unreachable', async (t) => {
  const file = await config();
  for (const args of [['check'], ['explain', 'SELECT 1']]) {
    const { code, stdout, stderr } = await pgfig([...args, '-c', file]);
    t.match(stdout + stderr, /database monolith \(127\.0\.0\.1:1\/shop\) cannot be reached: connect ECONNREFUSED/);
    t.notMatch(stdout + stderr, /hunter2/);
    t.equal(code, 3, args.join(' '));
  }
});

t.test('wrong password of a backend', async (t) => {
  const server = await startPostgres({ hba: 'host all all 127.0.0.1/32 scram-sha-256\n' });
  const url = server.url().replace(`:${server.password}@`, ':hunter2@');
  const file = await config({ databases: { monolith: url }, rules: {} });
  for (const args of [['check'], ['explain', 'SELECT 1']]) {
    const { code, stdout, stderr } = await pgfig([...args, '-c', file]);
    t.match(
      stdout + stderr,
      /database monolith \(.*\) cannot be reached: password authentication failed for user "postgres"/,
    );
    t.notMatch(stdout + stderr, /hunter2/);
    t.equal(code, 3, args.join(' '));
  }
});
