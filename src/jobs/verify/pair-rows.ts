import type { Column } from '../../mirror/shape/table-shape.js';
import type { HashedRow, TableSide } from './chunk-sql.js';
import type { Divergence } from './divergence.js';
import { both } from './raw-rows.js';

/** Both sides of one table. */
export interface TablePair {
  readonly table: string;
  readonly source: TableSide;
  readonly target: TableSide;
  readonly columns: readonly Column[];
  /** Whether divergences are to have their values. */
  readonly values: boolean;
}

/**
 * Pairs rows by their keys' texts, and where those differ by what the key's type calls equal: 1.0 and 1.00 are one key.
 * @param target all that the target has where the source has these rows; null: it is asked for the source's keys
 */
export async function pairRows(
  pair: TablePair,
  source: readonly HashedRow[],
  target: readonly HashedRow[] | null,
): Promise<Divergence[]> {
  const { byKey: left, twice } = byKeys(target ?? []);
  const differing: string[] = [];
  const alone: HashedRow[] = [];
  for (const row of source) {
    const other = left.get(row.key);
    left.delete(row.key);
    if (other === undefined) alone.push(row);
    else if (other.hash !== row.hash) differing.push(row.key);
  }
  const asked = target === null || left.size > 0 ? alone.map(({ key }) => key) : [];
  const found = new Map<string, HashedRow>();
  for (const row of await pair.target.rowsOfKeys(asked)) {
    if (found.has(row.asked)) twice.add(row.key);
    found.set(row.asked, row);
    left.delete(row.key);
  }
  for (const { key, hash } of alone) if ((found.get(key)?.hash ?? hash) !== hash) differing.push(key);
  const plain = (kind: 'missing' | 'extra') => (key: string) => ({ table: pair.table, key, kind, columns: [] });
  return [
    ...alone.filter(({ key }) => !found.has(key)).map(({ key }) => plain('missing')(key)),
    ...[...twice, ...left.keys()].map(plain('extra')),
    ...(await differences(pair, differing)),
  ];
}

/** A target without a unique key may have a row twice. */
function byKeys(rows: readonly HashedRow[]): { byKey: Map<string, HashedRow>; twice: Set<string> } {
  const byKey = new Map<string, HashedRow>();
  const twice = new Set<string>();
  for (const row of rows) {
    if (byKey.has(row.key)) twice.add(row.key);
    byKey.set(row.key, row);
  }
  return { byKey, twice };
}

/** Which columns differ. */
async function differences(pair: TablePair, keys: readonly string[]): Promise<Divergence[]> {
  if (keys.length === 0) return [];
  const read = pair.values ? 'values' : 'digests';
  const [here, there] = await both(pair.source[read](keys), pair.target[read](keys));
  return keys.map((key) => {
    const [mine = [], theirs = []] = [here.get(key), there.get(key)];
    const differing = pair.columns.flatMap(({ name }, at) => (mine[at] === theirs[at] ? [] : [{ name, at }]));
    const columns = differing.map(({ name }) => name);
    const found: Divergence = { table: pair.table, key, kind: 'differs', columns };
    if (!pair.values) return found;
    const values = differing.map(({ name, at }) => [name, { source: mine[at] ?? null, target: theirs[at] ?? null }]);
    return { ...found, values: Object.fromEntries(values) };
  });
}
