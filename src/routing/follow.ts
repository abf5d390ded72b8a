import { tableKey } from '../rules/table-name.js';
import { nameKey } from '../sql/names.js';
import type { Body, FunctionName, TableChange, TableName, Touches } from '../sql/statement.js';
import type { FunctionFacts, HiddenWork, RelationFacts } from './catalog-view.js';
import type { RoutingContext } from './context.js';
import { functionsNamed, functionText } from './functions.js';
import { type Need, type Needs, tableNeed } from './need.js';
import { findTable, type NameScope, type ResolvedTable, resolveTable, statementScope } from './resolve.js';

/** Settings that decide what a name means; 'pg_temp' stands for temporary tables that a body makes. */
const NAMES_HANG_ON = new Set(['search_path', 'role', 'session_authorization', 'pg_temp', '*']);

/**
 * Follows a statement through the definitions of one database: from views to what they read, from functions to what
 * is in their bodies, from a change to the triggers, rules, policies and foreign keys that it sets off there, from a
 * parent to its partitions. Every table that it comes to is a need. Each definition is followed once, so that rings
 * (functions that call each other, triggers on each other's tables) end.
 */
export class Follower {
  readonly #database: string;
  readonly #context: RoutingContext;
  readonly #needs: Need[];
  readonly #seen = new Set<string>();
  readonly #unknown = new Set<string>();
  #opaque: string | null = null;
  #movesNames = false;

  /** @param named what the statement itself names */
  constructor(database: string, context: RoutingContext, named: readonly Need[]) {
    this.#database = database;
    this.#context = context;
    this.#needs = [...named];
  }

  /** The statement's own touches; needed are its tables anyway, here is followed what lies behind them. */
  statement(touches: Touches): void {
    const scope = statementScope(this.#context);
    const resolve = (name: TableName): ResolvedTable => resolveTable(name, this.#context);
    this.#tables(touches, resolve, null);
    for (const name of touches.functions) this.#function(name, scope, null);
    if (touches.opaque !== null) this.#opaque ??= touches.opaque;
    // What cannot be seen through, a DO block most often, may set anything.
    if (touches.opaque !== null) this.#movesNames = true;
  }

  result(): Needs {
    const unknown = [...this.#unknown];
    const opaque = unknown.length === 0 ? this.#opaque : `what ${unknown.join(' and ')} touches is not known`;
    return { all: this.#needs, opaque, movesNames: this.#movesNames };
  }

  /** The touches of a definition of this database, by the names that it means there. `via` says whose. */
  definition(touches: Touches, searchPath: readonly string[], via: string): void {
    const scope: NameScope = { context: this.#context, searchPath, database: this.#database, inDefinition: true };
    this.#tables(touches, (name) => findTable(name, scope), via);
    for (const name of touches.sequences) {
      const found = findTable(name, scope);
      if (found !== null) this.#need({ ...found, nature: 'sequence' }, 'write', via);
    }
    for (const name of touches.functions) this.#function(name, scope, via);
    if (touches.opaque !== null) this.#opaque ??= `${via} cannot be seen through: ${touches.opaque}`;
  }

  #tables(touches: Touches, resolve: (name: TableName) => ResolvedTable | null, via: string | null): void {
    const locks = new Set(touches.locks.map(nameKey));
    for (const name of touches.writes) {
      const table = resolve(name);
      if (table === null) continue;
      if (via !== null) this.#need(table, 'write', via);
      const changes = touches.changes.filter((change) => nameKey(change.table) === nameKey(name));
      for (const change of changes) this.#changed(table, change, via);
      // DDL and maintenance of a view, and LOCK, look at what is behind it.
      if (changes.length === 0) this.#read(table, 'write', name.only === true, via);
    }
    for (const name of touches.reads) {
      const table = resolve(name);
      if (table === null) continue;
      const access = locks.has(nameKey(name)) ? 'lock' : 'read';
      if (via !== null) this.#need(table, access, via);
      this.#read(table, access, name.only === true, via);
    }
  }

  #need(table: ResolvedTable, access: Need['access'], via: string): void {
    const known = this.#needs.some(
      (need) => need.what === table.key && (need.access === access || need.access === 'write'),
    );
    if (!known) this.#needs.push(tableNeed(table, access, via));
  }

  /** What reading (or locking, or maintaining) a relation reads besides. */
  #read(table: ResolvedTable, access: Need['access'], only: boolean, via: string | null): void {
    const facts = this.#factsOf(table);
    if (facts === null || !this.#first(`${access} ${only} ${table.key}`)) return;
    // A view with a rule of its own is where the rule says, whatever it reads.
    if (facts.definition !== null && table.nature === 'view') {
      const { definition } = facts;
      // FOR UPDATE of a view locks the rows of what is behind it.
      const touches = access === 'lock' ? { ...definition, locks: definition.reads } : definition;
      this.definition(touches, [], within(`view ${table.key}`, via));
    }
    for (const work of facts.hidden) if (work.on.includes('read')) this.#hidden(work, table, via);
    if (!only) this.#children(facts, table, (child) => this.#read(child, access, false, via), access);
  }

  #changed(table: ResolvedTable, change: TableChange, via: string | null): void {
    this.#read(table, 'write', change.table.only === true, via);
    const facts = this.#factsOf(table);
    const columns = change.columns?.join() ?? '';
    if (facts === null || !this.#first(`${change.op} ${change.cascade} ${table.key} ${columns}`)) return;
    const set = facts.hidden.filter((work) => isSetOff(work, change));
    for (const work of set) this.#hidden(work, table, via);
    if (facts.updates !== null && table.nature === 'view' && !set.some((work) => work.instead)) {
      this.#updatable(table, facts.updates, change, via);
    }
    if (change.table.only === true) return;
    this.#children(facts, table, (child) => this.#changed(child, withoutOnly(change, child), via), 'write');
  }

  /** A change of a view that Postgres turns into a change of its base. The columns may have other names there. */
  #updatable(view: ResolvedTable, base: TableName, change: TableChange, via: string | null): void {
    const whose = within(`view ${view.key}`, via);
    const scope: NameScope = {
      context: this.#context,
      searchPath: [],
      database: this.#database,
      inDefinition: true,
    };
    const table = findTable(base, scope);
    if (table === null) return;
    this.#need(table, 'write', whose);
    this.#changed(table, { ...change, table: base, columns: null }, whose);
  }

  #hidden(work: HiddenWork, table: ResolvedTable, via: string | null): void {
    this.definition(work.touches, this.#context.searchPath, within(`${work.what} on ${table.key}`, via));
  }

  /** Partitions and children; those that a rule has moved elsewhere than their parent are needs of their own. */
  #children(
    facts: RelationFacts,
    parent: ResolvedTable,
    follow: (child: ResolvedTable) => void,
    access: Need['access'],
  ): void {
    for (const { schema, name } of facts.children) {
      const domain = this.#context.rules.tables.get(tableKey(schema, name));
      const child =
        domain === undefined || domain === parent.domain
          ? { ...parent, key: tableKey(schema, name), ref: { schema, name } }
          : resolveTable({ schema, name }, this.#context);
      if (child.domain !== parent.domain) this.#need(child, access, `partition or child of ${parent.key}`);
      follow(child);
    }
  }

  #function(name: FunctionName, scope: NameScope, via: string | null): void {
    const text = functionText(name);
    const found = functionsNamed(name, this.#database, scope);
    if (found === null || found.unknown) {
      this.#unknown.add(text);
      // With no catalog at all nothing can be said; a name that no catalog has ends in an error of Postgres's.
      if (found === null) this.#movesNames = true;
      return;
    }
    if (found.elsewhere.length > 0) {
      const homes = found.elsewhere;
      this.#needs.push({ what: `function ${text}`, sort: 'function', access: 'read', homes, table: null, via });
      return;
    }
    for (const one of found.here) this.#body(one, scope, via);
  }

  #body(facts: FunctionFacts, scope: NameScope, via: string | null): void {
    const text = functionText(facts);
    const path = facts.searchPath ?? scope.searchPath;
    if (changesNames(facts.body)) this.#movesNames = true;
    if (!this.#first(`function ${text} ${path.join()}`)) return;
    this.definition(facts.body, path, within(`function ${text}`, via));
  }

  #factsOf(table: ResolvedTable): RelationFacts | null {
    const { ref } = table;
    return ref === null ? null : (this.#context.catalog?.relation?.(this.#database, ref.schema, ref.name) ?? null);
  }

  #first(what: string): boolean {
    if (this.#seen.has(what)) return false;
    this.#seen.add(what);
    return true;
  }
}

/** 'function f() of trigger t on public.orders'; what is further out is not told. */
function within(what: string, via: string | null): string {
  return via === null ? what : `${what} of ${via.replace(/ of .*$/, '')}`;
}

function isSetOff(work: HiddenWork, change: TableChange): boolean {
  if (!work.on.includes(change.op)) return false;
  // Foreign keys matter to TRUNCATE only with CASCADE; without it Postgres refuses.
  const cascades = work.touches.changes.some((further) => further.op === 'truncate' && further.cascade);
  if (change.op === 'truncate' && cascades && !change.cascade) return false;
  if (change.op !== 'update' || work.columns === null || change.columns === null) return true;
  return work.columns.some((column) => change.columns?.includes(column));
}

function withoutOnly(change: TableChange, child: ResolvedTable): TableChange {
  return { ...change, table: child.ref ?? change.table };
}

const changesNames = (body: Body): boolean => body.sets.some((name) => NAMES_HANG_ON.has(name));
