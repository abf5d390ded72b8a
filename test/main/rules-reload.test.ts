import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import t, { type Test } from 'tap';
import { freePort } from '../../src/embedded/postgres-server.js';
import { checkDiff } from '../../src/operator/cli/check-diff.js';
import { errorText, exitCodeOf } from '../../src/operator/cli/exit-codes.js';
import { reload } from '../../src/operator/cli/reload.js';
import { pgfig as command } from '../operator/cli-run.js';
import { onBothWorkers, served, yaml } from './lines.js';
import { type LineClient, type Served, until } from './served.js';

/** Rules edited while pgfig runs: what is taken, what is held, what is refused, and where an operator sees it. */
const rule = (domain: string, phase: string, ...tables: string[]): string =>
  `domain: ${domain}\ndatabase: orders_db\nphase: ${phase}\ntables: [${tables.map((name) => `public.${name}`).join(', ')}]\nmirror: { capture: none }\n`;
const RULES = {
  'orders.yaml': rule('orders', 'write-new', 'orders'),
  'bills.yaml': rule('bills', 'monolith', 'bills'),
};

/** With an admin port that the command line finds in the configuration. */
async function start(t: Test, rules: Record<string, string> = RULES): Promise<Served> {
  const port = await freePort();
  return served(t, yaml('', `, token: sesame`).replace('port: 0, token', `port: ${port}, token`), rules);
}
const TOKEN = { authorization: 'Bearer sesame' };
const get = async (pgfig: Served, path: string) => JSON.parse((await pgfig.get(path, TOKEN)).text);
const metric = async (pgfig: Served, series: string): Promise<number | null> => {
  const { text } = await pgfig.get('/metrics', TOKEN);
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1));
};
/** A command in this process: what it writes, and the exit code that it ends with, an error's too. */
async function call<O extends { readonly config: string }>(
  work: (options: O, output: Writable) => Promise<number>,
  options: O,
): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = '';
  const output = new Writable({
    write(chunk, _encoding, done) {
      stdout += chunk;
      done();
    },
  });
  try {
    return { code: await work(options, output), stdout, stderr: '' };
  } catch (error) {
    return { code: exitCodeOf(error), stdout, stderr: errorText(error) };
  }
}
const configOf = (pgfig: Served): string => join(pgfig.folder, 'pgfig.yaml');
const tables = async (client: LineClient): Promise<string[]> => (await client.who()).tables.toSorted();

t.test('what would move writes is held and seen everywhere; the rest is taken', async (t) => {
  const pgfig = await start(t);
  const [a] = await onBothWorkers(t, pgfig.listenPort);
  pgfig.writeRules('orders.yaml', rule('orders', 'monolith', 'orders'));
  pgfig.writeRules('bills.yaml', rule('bills', 'dual-write', 'bills', 'items'));
  await until('the part that is taken', async () => ((await a.who()).rules === 2 ? true : null));
  t.strictSame(await tables(a), ['public.bills', 'public.items', 'public.orders']);
  const file = join(pgfig.folder, 'routing-rules', 'orders.yaml');
  const held = {
    domain: 'orders',
    at: `${file}:3:8`,
    reason: /^writes of public\.orders would move from orders_db to monolith\./,
  };
  t.match(await get(pgfig, '/api/rules'), {
    version: 2,
    loadedAt: /^\d{4}-.*Z$/,
    defaultDatabase: 'monolith',
    knownDatabases: ['monolith', 'orders_db'],
    source: {
      folder: join(pgfig.folder, 'routing-rules'),
      files: [
        { file: 'bills.yaml', domain: 'bills' },
        { file: 'orders.yaml', domain: 'orders' },
      ],
    },
    domains: [
      { name: 'bills', phase: 'dual-write' },
      { name: 'orders', phase: 'write-new' },
    ],
    pending: [{ ...held, from: { phase: 'write-new' }, to: { phase: 'monolith' } }],
    warnings: [/bills\.yaml:3:8: domain bills is in phase dual-write, and its rule says capture: none\./],
    error: null,
  });
  t.match(await get(pgfig, '/api/status'), {
    rules: { version: 2, pending: [held] },
    domains: [{}, { phase: 'write-new' }],
  });
  t.equal(await metric(pgfig, 'pgfig_rules_pending'), 1);
  t.match(pgfig.logged('a change of the rules waits'), [held]);
  t.match(pgfig.logged('rules took effect'), [{ version: 2 }]);
  t.equal(pgfig.lines.filter(({ msg }) => /capture: none/.test(String(msg))).length, 1);

  pgfig.writeRules('orders.yaml', rule('orders', 'write-new', 'orders'));
  await until('nothing waits', () => pgfig.logged('no change of the rules waits any more')[0] ?? null);
  t.match(await get(pgfig, '/api/rules'), { version: 2, pending: [] });
  t.equal(await metric(pgfig, 'pgfig_rules_pending'), 0);
});

t.test('a reload that is asked for answers with what came of it', async (t) => {
  const pgfig = await start(t);
  const [a, b] = await onBothWorkers(t, pgfig.listenPort);
  const post = () =>
    fetch(`http://127.0.0.1:${pgfig.adminPort}/api/reload`, { method: 'POST', headers: TOKEN }).then(
      async (response) => ({ status: response.status, body: await response.json() }),
    );
  t.match(await post(), { status: 200, body: { version: 1, taken: false, pending: [], error: null } });
  for (const client of [a, b]) t.ok((await client.who()).reloads > 0, 'certificates and users too');

  pgfig.writeRules('bills.yaml', rule('bills', 'monolith', 'bills', 'items'));
  // Or the watch has taken it a moment before.
  t.match(await post(), { status: 200, body: { version: 2, taken: Boolean, pending: [], everywhere: true } });
  for (const client of [a, b]) t.equal((await client.who()).rules, 2, 'when it answers, the workers have it');

  pgfig.writeRules('bills.yaml', rule('bills', 'write-new', 'bills'));
  t.match(await post(), { status: 200, body: { version: 2, taken: false, pending: [{ domain: 'bills' }] } });

  pgfig.writeRules('bills.yaml', 'domain: [');
  t.match(await post(), {
    status: 422,
    body: {
      version: 2,
      taken: false,
      error: { file: 'bills.yaml', line: 1, message: /bills\.yaml:1:10: not valid YAML/ },
    },
  });
  const answer = (method: string, headers: Record<string, string>) =>
    fetch(`http://127.0.0.1:${pgfig.adminPort}/api/reload`, { method, headers }).then(({ status }) => status);
  t.equal(await answer('POST', {}), 401);
  t.equal(await answer('GET', TOKEN), 404);
  t.equal(await answer('POST', { ...TOKEN, origin: 'http://elsewhere.example' }), 403);
});

t.test('SIGHUP reads the rules at once, and says so', async (t) => {
  const pgfig = await start(t);
  pgfig.writeRules('bills.yaml', rule('bills', 'monolith', 'items'));
  pgfig.signal('SIGHUP');
  t.match(await until('the log line', () => pgfig.logged('rules read again')[0] ?? null), {
    version: 2,
    taken: Boolean,
  });
});

t.test('pgfig reload', async (t) => {
  const pgfig = await start(t);
  t.match(await call(reload, { config: configOf(pgfig) }), {
    code: 0,
    stdout: /^unchanged {6}version 1 stays, in effect since \d{4}-.*Z\n$/,
    stderr: '',
  });
  pgfig.writeRules('bills.yaml', rule('bills', 'monolith', 'items'));
  t.match(await call(reload, { config: configOf(pgfig) }), {
    code: 0,
    // The watch may have seen the file first.
    stdout:
      /^(taken {10}version 2 is in effect in all workers \(2\)|unchanged {6}version 2 stays, in effect since .*)\n$/,
  });
  pgfig.writeRules('bills.yaml', rule('bills', 'write-new', 'bills'));
  t.match(await call(reload, { config: configOf(pgfig) }), {
    code: 1,
    stdout:
      /^unchanged {6}version 2 stays.*\nheld {11}.*bills\.yaml:3:8: domain bills keeps its rule: writes of public\.bills would move from monolith to orders_db\..*\nwarning {8}.*jumps from monolith to write-new/,
  });
  const { code, stdout } = await call(reload, { config: configOf(pgfig), json: true });
  t.match([code, JSON.parse(stdout)], [1, { version: 2, pending: [{ domain: 'bills' }], error: null }]);
  pgfig.writeRules('bills.yaml', rule('bills', 'moved', 'bills'));
  t.match(await call(reload, { config: configOf(pgfig) }), {
    code: 1,
    stdout:
      /^refused {8}.*bills\.yaml:3:8: phase is not one of the known values\..*\nunchanged {6}version 2 stays.*\nheld/,
  });
});

t.test('pgfig check --diff', async (t) => {
  const pgfig = await start(t);
  t.match(await call(checkDiff, { config: configOf(pgfig) }), {
    code: 0,
    stdout:
      /^running {8}http:\/\/127\.0\.0\.1:\d+: version 1, loaded .*\nfiles .*: 2 domains, 2 tables\na reload would change nothing\n$/,
  });
  // A folder of its own, so that the running one sees nothing of it.
  const folder = t.testdir({
    rules: {
      'bills.yaml': `${rule('bills', 'read-new', 'bills', 'items')}reads: { new: 10% }\nowner: billing\n`,
      'orders.yaml': rule('orders', 'write-new', 'orders', 'payments'),
    },
  });
  const config = join(folder, 'pgfig.yaml');
  writeFileSync(
    config,
    yaml('rules: rules', ', token: sesame').replace('port: 0, token', `port: ${pgfig.adminPort}, token`),
  );
  const diff = (more: { json?: boolean; against?: string } = {}) => call(checkDiff, { config, ...more });
  const { code, stdout } = await diff();
  t.equal(code, 1);
  const lines = stdout.split('\n');
  for (const line of [
    /^table {10}public\.bills: domain bills; phase monolith -> read-new; reads monolith -> orders_db for 10% of sessions, else monolith; written in monolith$/,
    /^table {10}public\.items: added to domain bills; reads monolith -> orders_db for 10% of sessions, else monolith; written in monolith$/,
    /^domain {9}bills: changed: phase monolith -> read-new; owner not given -> billing; reads not given -> /,
    /^held {11}.*rules\/orders\.yaml:4:25: domain orders keeps its rule: writes of public\.payments would move from monolith to orders_db\./,
    /^held table {5}public\.payments: added to domain orders; reads monolith -> orders_db; writes monolith -> orders_db$/,
    /^warning {8}.*bills\.yaml:3:8: domain bills jumps from monolith to read-new, past dual-write, shadow-read\./,
    /^a reload would change 2 tables and hold 1 domain$/,
  ]) {
    t.ok(
      lines.some((each) => line.test(each)),
      String(line),
      { stdout },
    );
  }
  const json = await diff({ json: true });
  t.match(
    [json.code, JSON.parse(json.stdout)],
    [
      1,
      {
        running: { version: 1 },
        taken: { tables: [{ table: 'public.bills' }, { table: 'public.items' }], domains: [{ domain: 'bills' }] },
        held: [{ domain: 'orders', moves: [{ table: 'public.payments', from: 'monolith', to: 'orders_db' }] }],
        later: { tables: [{ table: 'public.payments' }], domains: [] },
      },
    ],
  );

  const saved = join(folder, 'running.json');
  writeFileSync(saved, (await pgfig.get('/api/rules', TOKEN)).text);
  const fromFile = await diff({ against: saved });
  t.strictSame(fromFile.stdout.split('\n').slice(1), lines.slice(1), 'a saved answer gives the same');
  const fromUrl = await diff({ against: `http://127.0.0.1:${pgfig.adminPort}` });
  t.strictSame(fromUrl.stdout.split('\n').slice(1), lines.slice(1));

  writeFileSync(saved, '{"version": 1}');
  t.match(await diff({ against: saved }), { code: 2, stderr: /does not hold an answer of \/api\/rules/ });
  t.match(await diff({ against: join(folder, 'nix') }), { code: 2, stderr: /nix cannot be read \(ENOENT\)/ });
  writeFileSync(join(folder, 'rules', 'bills.yaml'), rule('bills', 'moved', 'bills'));
  t.match(await diff(), {
    code: 2,
    stdout: /bills\.yaml:3:8: phase is not one of .*\nrefused {8}a reload would leave/,
  });
});

t.test('an admin API that does not answer, or not to us', async (t) => {
  const port = await freePort();
  const folder = t.testdir({
    'pgfig.yaml': yaml().replace('127.0.0.1, port: 0 }', `127.0.0.1, port: ${port} }`),
    'routing-rules': {},
  });
  const silent = join(folder, 'pgfig.yaml');
  for (const args of [['reload'], ['check', '--diff']]) {
    const { code, stderr } = await command([...args, '-c', silent]);
    t.match(
      stderr,
      new RegExp(
        `the admin API at 127\\.0\\.0\\.1:${port} cannot be reached: .*ECONNREFUSED.*\\nhint: Is pgfig running`,
      ),
    );
    t.equal(code, 3, args.join(' '));
  }
  const pgfig = await start(t);
  const wrong = join(folder, 'wrong.yaml');
  writeFileSync(wrong, yaml('', ', token: guess').replace('port: 0, token', `port: ${pgfig.adminPort}, token`));
  t.match(await call(reload, { config: wrong }), { code: 2, stderr: /refuses the token\nhint: Set admin\.token/ });
  t.match(await command(['check', '--json', '-c', silent]), { code: 2, stderr: /--against and --json are for --diff/ });
});
