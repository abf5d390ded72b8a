import type { Metric } from '../metrics/metric-json.js';
import { show } from './show.js';

/** Rows that an answer has at most: a list of 5,000 sessions costs a worker, and the accepting primary, about 12 ms each. */
export const MOST_ROWS = 5_000;

export const showClients = show(
  'the sessions of all workers, the oldest first',
  {
    user: 'text',
    service: 'text',
    database: 'text',
    peer: 'text',
    tls: 'bool',
    state: 'text',
    home: 'text',
    worker: 'int4',
    pid: 'int4',
    since: 'timestamptz',
  },
  async ({ sessions }) => {
    // One more than may be shown: then it is known that there are more.
    const all = await sessions(MOST_ROWS + 1);
    return all
      .toSorted((a, b) => a.openedAt - b.openedAt)
      .map(({ openedAt, ...session }) => ({ ...session, since: new Date(openedAt) }));
  },
);

export const showWorkers = show(
  'the worker processes',
  {
    slot: 'int4',
    pid: 'int4',
    listening: 'bool',
    sessions: 'int4',
    rules_version: 'int4',
    restarts: 'int4',
  },
  async ({ status }) =>
    (await status()).workers.map(({ worker, pid, listening, sessions, rulesVersion, restarts }) => ({
      slot: worker,
      pid,
      listening,
      sessions,
      rules_version: rulesVersion,
      restarts,
    })),
);

export const showStats = show(
  'statements since the start, by database and kind, of all workers',
  { database: 'text', kind: 'text', statements: 'int8' },
  async ({ metrics }) => countStatements(await metrics()),
);

function countStatements(
  metrics: readonly Metric[],
): readonly { readonly database: string; readonly kind: string; readonly statements: number }[] {
  const counts = new Map<string, { database: string; kind: string; statements: number }>();
  for (const { name, values } of metrics) {
    if (name !== 'pgfig_statements_total') continue;
    for (const { labels, value } of values) {
      const [database, kind] = [String(labels.database), String(labels.kind)];
      const key = `${database}\0${kind}`;
      const sum = counts.get(key) ?? { database, kind, statements: 0 };
      sum.statements += value;
      counts.set(key, sum);
    }
  }
  return [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
}
