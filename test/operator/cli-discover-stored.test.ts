import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import type { Proposal } from '../../src/discovery/proposal.js';
import { freePort } from '../../src/embedded/postgres-server.js';
import { MONOLITH_TABLES } from '../../src/embedded/shop/schema.js';
import { MatrixStore } from '../../src/operator/matrix/matrix-store.js';
import { loadRules } from '../../src/rules/load.js';
import { SHOP } from '../discovery/sample-discovery.js';
import { writeConfig } from '../support/pgfig.js';
import { startPostgres } from '../support/postgres.js';
import { pgfig } from './cli-run.js';

const server = await startPostgres();
await server.query(MONOLITH_TABLES);
const ports = { listen: await freePort(), admin: await freePort() };
const config = await writeConfig({ databases: { monolith: server.url() } }, ports);
const folder = await mkdtemp(path.join(tmpdir(), 'pgfig-discover-'));
t.teardown(() => rm(folder, { recursive: true }));

const store = new MatrixStore(loadConfig(config));
await store.add(SHOP.matrix, { instance: '66666666-6666-4666-8666-666666666666', sequence: 1 });
await store.close();

t.test('what the traffic has shown: a report, and drafts that load', async (t) => {
  const [report, rules] = [path.join(folder, 'report'), path.join(folder, 'rules')];
  const { code, stdout } = await pgfig(['discover', '--config', config, '--report', report, '--write-rules', rules]);
  t.equal(code, 0);
  t.match(stdout, /^source {6}traffic through pgfig$/m);
  t.match(stdout, /^context 1 {3}\w+: public\./m);
  t.match(stdout, /^written {5}.*discovery\.html$/m);
  const page = await readFile(path.join(report, 'discovery.html'), 'utf8');
  t.match(page, /order-service/);
  t.match(page, /sessions_user_id_fkey|users/, 'the catalog was read');

  const files = await readdir(rules);
  const databases = ['monolith', ...files.map((file) => `${path.basename(file, '.yaml')}_db`)];
  const { domains } = loadRules(rules, { databases, default: 'monolith', version: 1 });
  t.same(domains.map(({ name }) => `${name}.yaml`).sort(), files.sort(), 'each is a domain');
  t.ok(
    domains.every(({ phase }) => phase === 'monolith'),
    'and nothing moves',
  );
  const json = await pgfig(['discover', '--config', config, '--json']);
  const { proposal } = JSON.parse(json.stdout) as { proposal: Proposal };
  t.same(
    proposal.contexts.map(({ tables }) => tables.join()).sort(),
    domains.map(({ tables }) => tables.join()).sort(),
    'as proposed',
  );
  for (const context of proposal.contexts) {
    const draft = await readFile(path.join(rules, `${context.name}.yaml`), 'utf8');
    t.ok(draft.includes(context.reason), 'with the reason');
  }

  const again = await pgfig(['discover', '--config', config, '--write-rules', rules]);
  t.equal(again.code, 2);
  t.match(again.stderr, /is there already, and is not overwritten/);
});

t.test('times do not apply to sums, and an unreachable control database is told', async (t) => {
  const { stdout } = await pgfig(['discover', '--config', config, '--since', '2026-01-01']);
  t.match(stdout, /^note {8}--since and --until do not apply: the stored matrix keeps sums\.$/m);
  const nobody = `postgres://127.0.0.1:${await freePort()}/shop`;
  const lost = await writeConfig(
    { databases: { monolith: server.url() }, config: { control: { url: nobody } } },
    ports,
  );
  const { code, stderr } = await pgfig(['discover', '--config', lost]);
  t.equal(code, 3);
  t.match(stderr, /the control database cannot be reached/);
});
