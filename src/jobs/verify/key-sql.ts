import { ident, type KeyColumn, literal } from '../../mirror/shape/table-shape.js';

/** SQL about keys. A key's values are the texts of its columns; its text is what the outbox has (docs/mirror.md). */
export type KeyValues = readonly string[];

/** The rows whose keys come after `after` and not after `upTo`, in the key's order. */
export interface KeyRange {
  /** null: from the first. */
  readonly after: KeyValues | null;
  /** null: to the last. */
  readonly upTo: KeyValues | null;
}

/** A condition on the columns of `t`. */
export function inRange(key: readonly KeyColumn[], { after, upTo }: KeyRange): string {
  const conditions = [
    ...(after === null ? [] : [beyond(key, after)]),
    ...(upTo === null ? [] : [notBeyond(key, upTo)]),
  ];
  return conditions.length === 0 ? 'true' : conditions.join(' AND ');
}

const literals = (key: readonly KeyColumn[], values: KeyValues): string[] =>
  key.map(({ type }, at) => `${literal(values[at] ?? '')}::${type}`);

/** One operator for all columns, so that one row comparison serves, which an index knows from end to end. */
const uniform = (key: readonly KeyColumn[]): boolean => key.every(({ greater }) => greater === key[0]?.greater);

function beyond(key: readonly KeyColumn[], values: KeyValues): string {
  const texts = literals(key, values);
  const columns = key.map(({ name }) => `t.${ident(name)}`);
  const greater = key[0]?.greater ?? '';
  if (uniform(key)) return `(${columns.join(', ')}) ${greater} (${texts.join(', ')})`;
  const steps = key.map((column, at) => {
    const same = key.slice(0, at).map(({ equals }, before) => `${columns[before]} ${equals} ${texts[before]}`);
    return `(${[...same, `${columns[at]} ${column.greater} ${texts[at]}`].join(' AND ')})`;
  });
  return `(${steps.join(' OR ')})`;
}

function notBeyond(key: readonly KeyColumn[], values: KeyValues): string {
  const columns = key.map(({ name }) => `t.${ident(name)}`);
  // Key columns are not NULL, so NOT greater is less or equal; only the latter is a condition of an index.
  if (key.every(({ greater }) => greater === 'OPERATOR(pg_catalog.>)'))
    return `(${columns.join(', ')}) OPERATOR(pg_catalog.<=) (${literals(key, values).join(', ')})`;
  return `NOT ${beyond(key, values)}`;
}

/** Every B-tree family of PostgreSQL names its operators so that `<` stands where the other has `>`. */
export const keyOrder = (key: readonly KeyColumn[]): string =>
  key.map(({ name, greater }) => `t.${ident(name)} USING ${greater.replace('>', '<')}`).join(', ');

/** The cast to text of these is their output function. */
const CASTABLE = new Set(['smallint', 'integer', 'bigint', 'oid', 'text', 'character varying', 'uuid', 'numeric']);

/** The key's text as the capture trigger writes it to the outbox (mirror/capture/key-text.ts). */
export function keyText(key: readonly KeyColumn[], table = 't'): string {
  const one = ({ name, type }: KeyColumn): string => {
    const value = `${table}.${ident(name)}`;
    return CASTABLE.has(type) ? `${value}::text` : `concat(${value})`;
  };
  const [only] = key;
  if (key.length === 1 && only !== undefined) return one(only);
  return `ARRAY[${key.map(one).join(', ')}]::text[]::text`;
}

/** `(SELECT n, typed key columns k0, k1, ... of the texts) k`, to be joined by `sameKey`. */
export function keysOf(key: readonly KeyColumn[], texts: string): string {
  const [only] = key;
  const columns =
    key.length === 1 && only !== undefined
      ? `e.key::${only.type} AS k0`
      : key.map(({ type }, at) => `(e.key::text[])[${at + 1}]::${type} AS k${at}`).join(', ');
  return `(SELECT e.n, e.key, ${columns} FROM unnest(${texts}) WITH ORDINALITY e (key, n)) k`;
}

export const sameKey = (key: readonly KeyColumn[]): string =>
  key.map(({ name, equals }, at) => `t.${ident(name)} ${equals} k.k${at}`).join(' AND ');

/** A text[] literal of these texts. */
export const textArray = (texts: readonly string[]): string => `ARRAY[${texts.map(literal).join(', ')}]::text[]`;
