import type { Facts } from './facts.js';
import { tableOf, tableOfParts } from './names.js';
import { inside, listOf, stringsOf, type TreeNode, textOf } from './tree.js';

/** Objects that are relations: their names stand in `pg_class`. */
export const RELATIONS: ReadonlySet<string> = new Set([
  'OBJECT_TABLE',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_FOREIGN_TABLE',
  'OBJECT_INDEX',
  'OBJECT_SEQUENCE',
]);

/** Objects named `table.object`: the table is what counts. */
const PARTS_OF_TABLE = new Set([
  'OBJECT_COLUMN',
  'OBJECT_TRIGGER',
  'OBJECT_RULE',
  'OBJECT_POLICY',
  'OBJECT_TABCONSTRAINT',
]);

/** What GRANT ... ON ALL ... IN SCHEMA can mean that belongs to tables. */
const OF_TABLES = new Set(['OBJECT_TABLE', 'OBJECT_SEQUENCE', 'OBJECT_SCHEMA']);

/** An object by type and name list, as COMMENT, SECURITY LABEL and ALTER EXTENSION ... ADD give it. */
export function named(facts: Facts, objectType: unknown, object: unknown): void {
  const type = textOf(objectType);
  const parts = stringsOf(inside(object, 'List')?.items);
  if (RELATIONS.has(type)) {
    const relation = tableOfParts(parts);
    if (relation === null) return;
    if (type === 'OBJECT_SEQUENCE') facts.sequences.add(relation);
    else facts.write(relation);
  } else if (PARTS_OF_TABLE.has(type)) {
    const table = tableOfParts(parts.slice(0, -1));
    if (table !== null) facts.write(table);
  }
}

export function drop(facts: Facts, node: TreeNode): void {
  const type = textOf(node.removeType);
  if (type === 'OBJECT_SCHEMA') facts.schemas.push(...stringsOf(node.objects));
  for (const object of listOf(node.objects)) {
    named(facts, type, object);
    const table = RELATIONS.has(type) ? tableOfParts(stringsOf(inside(object, 'List')?.items)) : null;
    if (table !== null && type !== 'OBJECT_INDEX') facts.effects.push({ type: 'drop-table', table });
  }
}

/** GRANT and REVOKE: on relations by name, on schemas, and on all that a schema holds. */
export function grant(facts: Facts, node: TreeNode): void {
  const type = textOf(node.objtype);
  const wholeSchemas = type === 'OBJECT_SCHEMA' || node.targtype === 'ACL_TARGET_ALL_IN_SCHEMA';
  if (wholeSchemas && OF_TABLES.has(type)) facts.schemas.push(...stringsOf(node.objects));
  for (const item of listOf(node.objects)) {
    const relation = inside(item, 'RangeVar');
    if (relation === null) continue;
    if (type === 'OBJECT_SEQUENCE') facts.sequences.add(tableOf(relation));
    else facts.write(tableOf(relation));
  }
}

/** CREATE and ALTER PUBLICATION ... FOR TABLES IN SCHEMA. */
export function publishedSchemas(facts: Facts, node: TreeNode): void {
  for (const item of listOf(node.pubobjects)) {
    const object = inside(item, 'PublicationObjSpec');
    if (object?.pubobjtype === 'PUBLICATIONOBJ_TABLES_IN_SCHEMA') facts.schemas.push(textOf(object.name));
  }
}

/** ALTER SCHEMA ... RENAME TO, OWNER TO. */
export function alterSchema(facts: Facts, node: TreeNode): void {
  if (node.renameType === 'OBJECT_SCHEMA') facts.schemas.push(textOf(node.subname));
  if (node.objectType === 'OBJECT_SCHEMA') facts.schemas.push(...stringsOf([node.object]));
}
