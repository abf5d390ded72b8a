/** The tables of the sample shop (src/embedded/shop/schema.ts) and of two other schemas, as query builders are told of them. */

export type ColumnType = 'integer' | 'bigint' | 'text' | 'numeric' | 'timestamp' | 'boolean' | 'json';

export interface CorpusTable {
  readonly schema?: string;
  readonly name: string;
  /** The first is the key. */
  readonly columns: Readonly<Record<string, ColumnType>>;
  /** column -> table that it refers to, by that one's first column */
  readonly refers: Readonly<Record<string, string>>;
}

const table = (
  name: string,
  columns: Readonly<Record<string, ColumnType>>,
  refers: Readonly<Record<string, string>> = {},
  schema?: string,
): CorpusTable => ({ name, columns, refers, ...(schema === undefined ? {} : { schema }) });

export const SHOP: readonly CorpusTable[] = [
  table('users', { id: 'integer', name: 'text', email: 'text', created_at: 'timestamp' }),
  table(
    'sessions',
    { id: 'bigint', user_id: 'integer', device: 'text', started_at: 'timestamp', ended_at: 'timestamp' },
    { user_id: 'users' },
  ),
  table('products', { id: 'integer', sku: 'text', name: 'text', price: 'numeric' }),
  table(
    'inventory',
    { product_id: 'integer', quantity: 'integer', updated_at: 'timestamp' },
    { product_id: 'products' },
  ),
  table(
    'reviews',
    {
      id: 'integer',
      product_id: 'integer',
      user_id: 'integer',
      rating: 'integer',
      body: 'text',
      created_at: 'timestamp',
    },
    { product_id: 'products', user_id: 'users' },
  ),
  table(
    'orders',
    { id: 'bigint', user_id: 'integer', status: 'text', total: 'numeric', placed_at: 'timestamp' },
    { user_id: 'users' },
  ),
  table(
    'order_items',
    { order_id: 'bigint', line: 'integer', product_id: 'integer', quantity: 'integer', price: 'numeric' },
    { order_id: 'orders', product_id: 'products' },
  ),
  table(
    'payments',
    { id: 'bigint', order_id: 'bigint', amount: 'numeric', method: 'text', paid_at: 'timestamp' },
    { order_id: 'orders' },
  ),
];

/** Names as people make them: capitals, blanks, reserved words, schemas. */
export const ODD: readonly CorpusTable[] = [
  table(
    'BlogPost',
    { Id: 'integer', authorId: 'integer', title: 'text', deletedAt: 'timestamp' },
    { authorId: 'user' },
  ),
  table('user', { id: 'integer', order: 'integer', group: 'text' }),
  table('Line Items', { ItemId: 'integer', PostId: 'integer', select: 'boolean' }, { PostId: 'BlogPost' }),
  table(
    'ledger',
    { id: 'bigint', account_id: 'bigint', amount: 'numeric', meta: 'json' },
    { account_id: 'accounts' },
    'finance',
  ),
  table('accounts', { id: 'bigint', owner: 'text', open: 'boolean' }, {}, 'finance'),
];

export const TABLES: readonly CorpusTable[] = [...SHOP, ...ODD];

export const keyOf = ({ columns }: CorpusTable): string => Object.keys(columns)[0] ?? 'id';

export const columnsOf = ({ columns }: CorpusTable): string[] => Object.keys(columns);

/** The last column that is of one of these types, else the last of all. */
export function columnOf(of: CorpusTable, ...types: readonly ColumnType[]): string {
  const names = columnsOf(of);
  return names.findLast((name) => types.includes(of.columns[name] ?? 'text')) ?? names.at(-1) ?? 'id';
}

export function tableNamed(name: string): CorpusTable {
  const found = TABLES.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no table ${name}`);
  return found;
}

/** A value of each type; `n` makes it another. */
export function valueLike(type: ColumnType | undefined, n: number): unknown {
  switch (type) {
    case 'integer':
    case 'bigint':
      return n;
    case 'numeric':
      return `${n}.50`;
    case 'timestamp':
      return new Date(Date.UTC(2025, 0, 1 + (n % 28)));
    case 'boolean':
      return n % 2 === 0;
    case 'json':
      return JSON.stringify({ n });
    default:
      return `it's ${n}`;
  }
}

/** A whole row. */
export function rowOf(of: CorpusTable, n: number): Record<string, unknown> {
  return Object.fromEntries(columnsOf(of).map((name, i) => [name, valueLike(of.columns[name], n + i)]));
}
