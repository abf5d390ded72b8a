import type { Facts } from './facts.js';
import type { SessionEffect, Statement, TableName, Touches } from './statement.js';
import { inside, listOf, nodeOf, type TreeNode } from './tree.js';

/**
 * CREATE SCHEMA with what is made in it. The elements are run with the new schema first in the search path, in an
 * order of Postgres's own (transformCreateSchemaStmtElements): a name that one of them makes is the schema's.
 */
export function createSchema(facts: Facts, node: TreeNode, extract: (statement: unknown) => Statement): void {
  const elements = listOf(node.schemaElts).map(extract);
  const made = new Set<string>();
  for (const { effects } of elements) {
    for (const effect of effects) {
      if (effect.type === 'create-relation' && effect.table.schema === undefined) made.add(effect.table.name);
    }
  }
  const schema = node.schemaname ?? inside(node.authrole, 'RoleSpec')?.rolename ?? nodeOf(node.authrole).rolename;
  if (typeof schema === 'string') facts.effects.push({ type: 'create-schema', schema });
  // CREATE SCHEMA AUTHORIZATION role: its name is known to the server only where the role is CURRENT_USER.
  const inSchema = (table: TableName): TableName =>
    typeof schema === 'string' && table.schema === undefined && made.has(table.name) ? { ...table, schema } : table;
  for (const element of elements) {
    facts.add(renamed(element, inSchema));
    facts.deterministic &&= element.deterministic;
    for (const effect of element.effects) facts.effects.push(renamedEffect(effect, inSchema));
  }
}

function renamed(touches: Touches, rename: (table: TableName) => TableName): Touches {
  return {
    reads: touches.reads.map(rename),
    writes: touches.writes.map(rename),
    locks: touches.locks.map(rename),
    changes: touches.changes,
    sequences: touches.sequences.map(rename),
    functions: touches.functions,
    ...(touches.homonyms && { homonyms: touches.homonyms }),
    opaque: touches.opaque,
  };
}

function renamedEffect(effect: SessionEffect, rename: (table: TableName) => TableName): SessionEffect {
  return effect.type === 'create-relation' ? { ...effect, table: rename(effect.table) } : effect;
}
