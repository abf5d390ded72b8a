import type { ForeignKey, ForeignKeyAction, HiddenWork, RelationRef } from '../../routing/catalog-view.js';
import type { TableChange, Touches } from '../../sql/statement.js';
import { NOTHING } from './resolved-touches.js';
import type { ForeignKeyRow } from './rows.js';

/** pg_constraint.confdeltype and confupdtype */
const ACTIONS: Readonly<Record<string, ForeignKeyAction>> = {
  a: 'no action',
  r: 'restrict',
  c: 'cascade',
  n: 'set null',
  d: 'set default',
};

const actionsOf = (actions: string): readonly [onDelete: ForeignKeyAction, onUpdate: ForeignKeyAction] => [
  ACTIONS[actions[0] ?? ''] ?? 'no action',
  ACTIONS[actions[1] ?? ''] ?? 'no action',
];

export function foreignKeyOf(row: ForeignKeyRow, table: RelationRef, references: RelationRef): ForeignKey {
  const [onDelete, onUpdate] = actionsOf(row[3]);
  return { name: row[2], table, references, onDelete, onUpdate };
}

/**
 * What changes of the referenced table set off in the table that has the key (PostgreSQL documentation, CREATE TABLE,
 * "REFERENCES"; RI_FKey_cascade_del and its kin in utils/adt/ri_triggers.c).
 */
export function foreignKeyWork(row: ForeignKeyRow, table: RelationRef): readonly HiddenWork[] {
  const [, , name, actions, , columns, keyColumns, set] = row;
  const [onDelete, onUpdate] = actionsOf(actions);
  const works: HiddenWork[] = [];
  const add = (action: string, on: HiddenWork['on'], of: HiddenWork['columns'], change: Partial<TableChange>): void => {
    const what = `foreign key ${name}${action === '' ? '' : ` (${action})`}`;
    works.push({ what, on, columns: of, instead: false, touches: changeOf(table, change) });
  };
  if (onDelete === 'cascade') add('ON DELETE CASCADE', ['delete'], null, { op: 'delete' });
  else if (isActive(onDelete)) {
    add(`ON DELETE ${onDelete.toUpperCase()}`, ['delete'], null, { op: 'update', columns: set ?? columns });
  }
  if (isActive(onUpdate)) add(`ON UPDATE ${onUpdate.toUpperCase()}`, ['update'], keyColumns, { op: 'update', columns });
  add('', ['truncate'], null, { op: 'truncate', cascade: true });
  return works;
}

const isActive = (action: ForeignKeyAction): boolean => action !== 'no action' && action !== 'restrict';

function changeOf(table: RelationRef, change: Partial<TableChange>): Touches {
  const whole: TableChange = { table, op: 'update', columns: null, cascade: false, ...change };
  return { ...NOTHING, writes: [table], changes: [whole] };
}
