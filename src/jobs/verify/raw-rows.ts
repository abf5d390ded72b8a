import type pg from 'pg';
import { serially } from '../serially.js';

const RAW: pg.CustomTypesConfig = { getTypeParser: () => (value: unknown) => value };

/** The rows of a query; every value is the text that the server wrote. @throws what the driver throws */
export async function rawRows(client: pg.ClientBase, sql: string): Promise<(string | null)[][]> {
  const query = { text: sql, rowMode: 'array' as const, types: RAW };
  const { rows } = await serially(client, () => client.query<(string | null)[]>(query));
  return rows;
}

/**
 * Waits for both, also where one fails: no statement may still run on a connection that is handed back.
 * @throws what the first of them throws
 */
export async function both<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  const [one, other] = await Promise.allSettled([a, b]);
  if (one.status === 'rejected') throw one.reason;
  if (other.status === 'rejected') throw other.reason;
  return [one.value, other.value];
}
