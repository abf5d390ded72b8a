import type { Metric } from '../metrics/metric-json.js';
import { show } from './show.js';

export const showDatabases = show(
  'the databases, whether they answer, and the connections that sessions have to them',
  {
    name: 'text',
    host: 'text',
    port: 'int4',
    database: 'text',
    force_user: 'text',
    is_default: 'bool',
    reachable: 'bool',
    links: 'int4',
  },
  async ({ config, metrics, reachable }) => {
    const [answers, links] = await Promise.all([reachable(), metrics().then(linksOf)]);
    return [...config.databases.values()].map(({ name, host, port, dbname, user }) => ({
      name,
      host,
      port,
      database: dbname,
      force_user: user,
      is_default: name === config.default,
      reachable: answers.get(name) ?? false,
      links: links.get(name) ?? 0,
    }));
  },
);

function linksOf(metrics: readonly Metric[]): ReadonlyMap<string, number> {
  const links = new Map<string, number>();
  for (const { name, values } of metrics) {
    if (name !== 'pgfig_backend_links') continue;
    for (const { labels, value } of values) {
      const database = String(labels.database);
      links.set(database, (links.get(database) ?? 0) + value);
    }
  }
  return links;
}

export const showCatalog = show(
  'when the catalog of each database was read, and what came of it',
  { database: 'text', read_at: 'timestamptz', error: 'text', relations: 'int4' },
  ({ config, catalog }) =>
    [...config.databases.keys()].map((database) => {
      const sight = catalog.sights.get(database);
      return {
        database,
        read_at: sight?.at ?? null,
        error: sight === undefined ? 'not read yet' : sight.error,
        relations: sight?.relations ?? null,
      };
    }),
);
