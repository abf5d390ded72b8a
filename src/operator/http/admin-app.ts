import { Hono } from 'hono';
import { bearerMatches } from './token.js';

/** What the admin API shows; the control process answers each from what it and the primary know. */
export interface AdminSource {
  readonly token: string | null;
  /** Exposition text and its content type. */
  metrics(): Promise<{ text: string; contentType: string }>;
  ready(): Promise<{ ready: boolean; reasons: readonly string[] }>;
  status(): Promise<object>;
  rules(): Promise<object>;
  /** The process ids of the backends that sessions hold, by database. */
  backends(): Promise<object>;
  /** What is mirrored, and how far behind each copy is. */
  mirrors(): readonly object[];
  /** Reads certificates, users and rules again. `refused`: the rules folder is broken. */
  reload(): Promise<{ refused: boolean; report: object }>;
  /** Stores all that has been counted until now. @returns why that cannot be done; null: it is done */
  flushMatrix(): Promise<string | null>;
  /** What is stalled of the domain's feeds to Kafka is tried again. @returns its feeds that this instance knows, as they stood */
  retryEvents(domain: string): readonly object[];
  failed(path: string, error: unknown): void;
}

const OPEN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

/** The admin API. Errors are JSON: {"error": "..."}; docs/operations.md lists the paths. */
export function adminApp(source: AdminSource): Hono {
  const app = new Hono();
  app.use('*', async (c, next) => {
    c.header('Cache-Control', 'no-store');
    c.header('X-Content-Type-Options', 'nosniff');
    if (!OPEN_PATHS.has(c.req.path) && !bearerMatches(source.token, c.req.header('Authorization'))) {
      c.header('WWW-Authenticate', 'Bearer');
      return c.json({ error: 'this path needs the token: send "Authorization: Bearer TOKEN"' }, 401);
    }
    return next();
  });
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', async (c) => {
    const { ready, reasons } = await source.ready();
    return c.json({ ready, reasons }, ready ? 200 : 503);
  });
  app.get('/metrics', async (c) => {
    const { text, contentType } = await source.metrics();
    return c.body(text, 200, { 'Content-Type': contentType });
  });
  app.get('/api/status', async (c) => c.json(await source.status()));
  app.get('/api/rules', async (c) => c.json(await source.rules()));
  app.get('/api/backends', async (c) => c.json(await source.backends()));
  app.get('/api/mirrors', (c) => c.json({ mirrors: source.mirrors() }));
  app.post('*', async (c, next) => {
    // Only browsers send it, for pages that are not ours: without a token a foreign page could else reload.
    if (c.req.header('Origin') !== undefined) return c.json({ error: 'not from a web page' }, 403);
    return next();
  });
  app.post('/api/reload', async (c) => {
    const { refused, report } = await source.reload();
    return c.json(report, refused ? 422 : 200);
  });
  app.post('/api/matrix/flush', async (c) => {
    const error = await source.flushMatrix();
    return c.json({ flushed: error === null, error }, error === null ? 200 : 422);
  });
  app.post('/api/events/:domain/retry', (c) => c.json({ feeds: source.retryEvents(c.req.param('domain')) }));
  app.notFound((c) => c.json({ error: `nothing at ${c.req.method} ${c.req.path}` }, 404));
  app.onError((error, c) => {
    source.failed(c.req.path, error);
    return c.json({ error: 'the request failed; the log of the control process says why' }, 500);
  });
  return app;
}
