import type { Catalog } from '../../backend/catalog.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import type { Cell } from '../../matrix/matrix.js';
import type { RelationRef } from '../../routing/catalog-view.js';
import { homesOf } from '../../rules/phases.js';
import type { RuleSet } from '../../rules/rule-set.js';
import { splitKey, tableKey } from '../../rules/table-name.js';
import { tableOfText } from '../../sql/names.js';

/** Where a name is looked for. */
export interface Known {
  readonly rules: RuleSet;
  /** Of the databases that answer. */
  readonly catalog: Catalog;
  readonly cells: readonly Cell[];
}

export interface Target {
  /** 'domain orders', 'table public.orders' */
  readonly title: string;
  /** 'schema.table' */
  readonly tables: readonly string[];
}

/** One table in one database. */
export interface Place {
  readonly table: string;
  readonly database: string;
  /** Its partitions, down to the last: what touches them touches it. */
  readonly partitions: readonly string[];
  /** It has moved, and this is where it lives now: use is what it is there for. */
  readonly movedHere: boolean;
}

/**
 * What TABLE|DOMAIN on the command line means; a domain comes before a table of the same name.
 *
 * @throws PgfigError NAME_UNKNOWN where nothing is called so, or several tables are
 */
export function targetOf(text: string, known: Known): Target {
  const domain = known.rules.domains.find(({ name }) => name === text);
  if (domain !== undefined) return { title: `domain ${domain.name}`, tables: [...domain.tables].sort() };
  const name = tableOfText(text);
  if (name === null || name.catalog !== undefined) throw unknown(text, 'is no name of a table or domain');
  if (name.schema !== undefined) {
    const table = tableKey(name.schema, name.name);
    if (!isKnown(table, known)) throw unknown(table, 'is in no database, rule file or matrix');
    return { title: `table ${table}`, tables: [table] };
  }
  const tables = tablesNamed(name.name, known);
  const [table] = tables;
  if (table === undefined) throw unknown(text, 'is no domain, and no table of schema public, the rules or the matrix');
  if (tables.length > 1) throw unknown(text, `may be ${tables.join(' or ')}`);
  return { title: `table ${table}`, tables: [table] };
}

const unknown = (text: string, why: string): PgfigError =>
  new PgfigError('NAME_UNKNOWN', `${text} ${why}`, { hint: 'Write schema.table, or the name of a domain.' });

const inMatrix = (table: string, { cells }: Known): boolean =>
  cells.some((cell) => cell.table === table && cell.access !== 'opaque');

const isKnown = (table: string, known: Known): boolean =>
  known.rules.tables.has(table) || inMatrix(table, known) || databasesOf(table, known.catalog).length > 0;

function tablesNamed(name: string, known: Known): readonly string[] {
  const ours = [...known.rules.tables.keys(), ...known.cells.filter((c) => c.access !== 'opaque').map((c) => c.table)];
  const inPublic = tableKey('public', name);
  const named = ours.filter((table) => splitKey(table).name === name);
  return [...new Set([...(isKnown(inPublic, known) ? [inPublic] : []), ...named])].sort();
}

function databasesOf(table: string, catalog: Catalog): readonly string[] {
  const { schema, name } = splitKey(table);
  return catalog.databases.filter((database) => catalog.hasRelation(database, schema, name) === true);
}

/** Every database that has one of the tables: after a move the old copy too. */
export function placesOf(tables: readonly string[], { catalog, rules }: Known): readonly Place[] {
  return tables.flatMap((table) => {
    const domain = rules.tables.get(table);
    const [home] = domain === undefined ? [] : homesOf(domain, rules.defaultDatabase).writes;
    return databasesOf(table, catalog).map((database) => ({
      ...{ table, database, partitions: partitionsOf(splitKey(table), database, catalog) },
      movedHere: database === home && home !== rules.defaultDatabase,
    }));
  });
}

function partitionsOf(ref: RelationRef, database: string, catalog: Catalog): readonly string[] {
  const facts = catalog.relation(database, ref.schema, ref.name);
  if (facts?.kind !== 'partitioned') return [];
  return facts.children.flatMap((child) => [
    tableKey(child.schema, child.name),
    ...partitionsOf(child, database, catalog),
  ]);
}
