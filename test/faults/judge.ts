import pg from 'pg';
import { compareCopies, differenceLines } from './compare.js';
import type { Journal } from './journal.js';
import { INVARIANTS, TABLES } from './schema.js';

/**
 * The verdict over a run whose relay has caught up.
 * @param source, target urls
 * @returns what is wrong, one finding each; empty: nothing is
 */
export async function judge(source: string, target: string, journal: Journal): Promise<string[]> {
  const found = differenceLines(await compareCopies(source, target, TABLES)).map((line) => `copies differ: ${line}`);
  for (const [side, url] of [
    ['source', source],
    ['target', target],
  ] as const) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      found.push(...(await brokenInvariants(client)).map((line) => `${side}: ${line}`));
      found.push(...(await brokenPromises(client, journal)).map((line) => `${side}: ${line}`));
    } finally {
      await client.end();
    }
  }
  return found;
}

/** Invariants that do not hold in what the client sees now; the caller may have a snapshot. */
export async function brokenInvariants(client: pg.Client): Promise<string[]> {
  const broken: string[] = [];
  for (const [name, sql] of Object.entries(INVARIANTS)) {
    const { rows } = await client.query(sql);
    if (rows.length > 0) broken.push(`not true that ${name}: ${JSON.stringify(rows.slice(0, 3))}`);
  }
  return broken;
}

/** What writers were told, against what is there. */
async function brokenPromises(client: pg.Client, journal: Journal): Promise<string[]> {
  const { rows } = await client.query<{ op: string }>('SELECT op FROM ops');
  const there = new Set(rows.map(({ op }) => op));
  const known = new Set(journal.operations.map(({ id }) => id));
  const broken: string[] = [];
  const list = (what: string, ids: readonly string[]): void => {
    if (ids.length > 0) broken.push(`${ids.length} operations ${what}, e.g. ${ids.slice(0, 3).join('; ')}`);
  };
  const described = journal.operations.map((operation) => ({
    ...operation,
    there: there.has(operation.id),
    text: `${operation.kind} of ${operation.writer} ${operation.id}${operation.error === null ? '' : ` (${operation.error})`}`,
  }));
  const texts = (test: (operation: (typeof described)[number]) => boolean): string[] =>
    described.filter(test).map(({ text }) => text);
  list(
    'were acknowledged and are lost',
    texts((operation) => operation.outcome === 'acked' && operation.durable && !operation.there),
  );
  list(
    'were told that they failed and are there',
    texts((operation) => operation.outcome === 'failed' && operation.there),
  );
  list(
    'were left prepared',
    texts(({ outcome }) => outcome === 'prepared'),
  );
  list(
    'are there that nobody made',
    [...there].filter((op) => !known.has(op) && op !== BEFORE),
  );
  return broken;
}

/** The mark of the rows that were there before the run (schema.ts). */
const BEFORE = '00000000-0000-4000-8000-000000000000';
