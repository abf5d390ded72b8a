import t from 'tap';
import type { Config } from '../../src/config/config.js';
import { type AdminSource, adminApp } from '../../src/operator/http/admin-app.js';
import { bearerMatches } from '../../src/operator/http/token.js';
import type { PrimaryStatus } from '../../src/operator/processes/messages.js';
import { readiness } from '../../src/operator/status-report.js';

const source = (more: Partial<AdminSource> = {}): AdminSource => ({
  token: null,
  metrics: async () => ({ text: 'pgfig_sessions 1\n', contentType: 'text/plain; version=0.0.4' }),
  ready: async () => ({ ready: true, reasons: [] }),
  status: async () => ({ version: '1' }),
  rules: async () => ({ version: 1 }),
  backends: async () => ({ complete: true, routed: {}, passedThrough: {} }),
  reload: async () => ({ refused: false, report: { version: 1, taken: true } }),
  flushMatrix: async () => null,
  mirrors: () => [],
  retryEvents: () => [],
  failed: () => {},
  ...more,
});

t.test('without a token all paths answer', async (t) => {
  const app = adminApp(source());
  for (const path of ['/healthz', '/readyz', '/metrics', '/api/status', '/api/rules', '/api/backends']) {
    t.equal((await app.request(path)).status, 200, path);
  }
  const response = await app.request('/metrics');
  t.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4');
  t.equal(await response.text(), 'pgfig_sessions 1\n');
});

t.test('with one, all but the health checks need it', async (t) => {
  const app = adminApp(source({ token: 'sesame' }));
  const status = async (path: string, authorization?: string): Promise<number> =>
    (await app.request(path, authorization === undefined ? {} : { headers: { authorization } })).status;
  t.equal(await status('/healthz'), 200);
  t.equal(await status('/readyz'), 200);
  for (const path of ['/metrics', '/api/status', '/api/rules', '/nothing', '/healthz/../metrics', '//metrics']) {
    t.equal(await status(path), 401, path);
    t.equal(await status(path, 'Bearer sesam'), 401, path);
    t.equal(await status(path, 'Basic sesame'), 401, path);
  }
  t.equal(await status('/metrics', 'Bearer sesame'), 200);
  t.equal(await status('/nothing', 'Bearer sesame'), 404);
  const refused = await app.request('/metrics');
  t.equal(refused.headers.get('www-authenticate'), 'Bearer');
  t.match(await refused.json(), { error: /token/ });
});

t.test('the token is compared whole', async (t) => {
  t.ok(bearerMatches(null, undefined));
  t.ok(bearerMatches('a-b', 'bearer a-b'));
  for (const header of [undefined, '', 'Bearer', 'Bearer ', 'a-b', 'Bearer a-bc', 'Bearer a-', 'Bearer a-b c']) {
    t.notOk(bearerMatches('a-b', header), String(header));
  }
});

t.test('an error is JSON that gives nothing away, and is reported', async (t) => {
  const failures: unknown[] = [];
  const broken = new Error('password in a stack trace');
  const app = adminApp(source({ status: () => Promise.reject(broken), failed: (_, error) => failures.push(error) }));
  const response = await app.request('/api/status');
  t.equal(response.status, 500);
  t.notMatch(await response.text(), /password/);
  t.strictSame(failures, [broken]);
});

t.test('not ready is 503 and says why', async (t) => {
  const app = adminApp(source({ ready: async () => ({ ready: false, reasons: ['draining'] }) }));
  const response = await app.request('/readyz');
  t.equal(response.status, 503);
  t.strictSame(await response.json(), { ready: false, reasons: ['draining'] });
});

t.test('ready: all workers listen, nothing drains, some database answers', async (t) => {
  const config = {
    databases: new Map([
      ['monolith', {}],
      ['orders_db', {}],
    ]),
  } as unknown as Config;
  const worker = { worker: 1, pid: 1, listening: true, sessions: 0, rulesVersion: 1, restarts: 0 };
  const primary: PrimaryStatus = { pid: 1, draining: false, workers: [worker], sessionsByUser: {} };
  const up = (monolith: boolean, orders: boolean) =>
    new Map([
      ['monolith', monolith],
      ['orders_db', orders],
    ]);
  t.ok(readiness(config, primary, up(true, true)).ready);
  t.ok(readiness(config, primary, up(false, true)).ready, 'one database is enough');
  t.strictSame(readiness(config, primary, up(false, false)).reasons, ['no database answers (monolith, orders_db)']);
  t.notOk(readiness(config, { ...primary, draining: true }, up(true, true)).ready);
  const deaf = { ...primary, workers: [worker, { ...worker, worker: 2, listening: false }] };
  t.strictSame(readiness(config, deaf, up(true, true)).reasons, ['1 of 2 workers do not listen yet']);
});

t.test('the matrix is stored on request, and not for a web page', async (t) => {
  let asked = 0;
  const flushMatrix = async (): Promise<string | null> => (++asked === 1 ? null : 'the disk is full');
  const app = adminApp(source({ flushMatrix }));
  const headers = { origin: 'http://evil.example' };
  t.equal((await app.request('/api/matrix/flush', { method: 'POST', headers })).status, 403);
  t.equal(asked, 0);
  const stored = await app.request('/api/matrix/flush', { method: 'POST' });
  t.equal(stored.status, 200);
  t.same(await stored.json(), { flushed: true, error: null });
  const failed = await app.request('/api/matrix/flush', { method: 'POST' });
  t.equal(failed.status, 422);
  t.same(await failed.json(), { flushed: false, error: 'the disk is full' });
});
