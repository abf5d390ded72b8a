import { tableKey } from '../rules/table-name.js';
import { nameKey } from '../sql/names.js';
import type { Body, FunctionName, TableChange, TableName, Touches } from '../sql/statement.js';
import type { FunctionFacts, HiddenWork, RelationFacts } from './catalog-view.js';
import type { RoutingContext } from './context.js';
import { functionsAt, functionsNamed, functionText } from './functions.js';
import { type Need, type Needs, tableNeed } from './need.js';
import { findTable, type NameScope, type ResolvedTable, resolveTable, statementScope } from './resolve.js';

/** Settings that decide what a name means; 'pg_temp' stands for temporary tables that a body makes. */
const NAMES_HANG_ON = new Set(['search_path', 'role', 'session_authorization', 'pg_temp', '*']);

/** `moves`: half of a row's way from one partition to another, of which foreign keys see nothing. */
type Change = TableChange & { readonly moves?: true };

/** Where the follower stands: in the statement, or in a definition that it has come to. */
interface Place {
  readonly scope: NameScope;
  /** 'view public.v', 'function f() of trigger t on public.orders'; null: the statement itself. */
  readonly via: string | null;
}

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
  #namesOnly = false;

  /** @param named what the statement itself names */
  constructor(database: string, context: RoutingContext, named: readonly Need[]) {
    this.#database = database;
    this.#context = context;
    this.#needs = [...named];
  }

  /**
   * The statement's own touches; needed are its tables anyway, here is followed what lies behind them.
   *
   * @param unfollowed names (as `nameKey` makes them) of which nothing lies behind: of relations that it makes anew
   * @param namesOnly it changes the definitions of what it writes, and does not run them
   */
  statement(touches: Touches, unfollowed: ReadonlySet<string> = new Set(), namesOnly = false): void {
    this.#namesOnly = namesOnly;
    const resolve = (name: TableName): ResolvedTable => resolveTable(name, this.#context);
    const place: Place = { scope: statementScope(this.#context), via: null };
    const writes = touches.writes.filter((name) => !unfollowed.has(nameKey(name)));
    this.#tables({ ...touches, writes }, resolve, place);
    this.#calls(touches, place);
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
    const place: Place = { scope, via };
    this.#tables(touches, (name) => findTable(name, scope), place);
    for (const name of touches.sequences) {
      const found = findTable(name, scope);
      if (found !== null) this.#need({ ...found, nature: 'sequence' }, 'write', via);
    }
    this.#calls(touches, place);
    if (touches.opaque !== null) this.#opaque ??= `${via} cannot be seen through: ${touches.opaque}`;
  }

  #tables(touches: Touches, resolve: (name: TableName) => ResolvedTable | null, place: Place): void {
    const locks = new Set(touches.locks.map(nameKey));
    for (const name of touches.writes) {
      const table = resolve(name);
      if (table === null) continue;
      if (place.via !== null) this.#need(table, 'write', place.via);
      const changes = touches.changes.filter((change) => nameKey(change.table) === nameKey(name));
      for (const change of changes) this.#changed(table, change, place);
      // DDL and maintenance of a view, and LOCK, look at what is behind it.
      if (changes.length === 0) this.#read(table, 'write', name.only === true, place);
    }
    for (const name of touches.reads) {
      const table = resolve(name);
      if (table === null) continue;
      const access = locks.has(nameKey(name)) ? 'lock' : 'read';
      if (place.via !== null) this.#need(table, access, place.via);
      this.#read(table, access, name.only === true, place);
    }
  }

  #need(table: ResolvedTable, access: Need['access'], via: string): void {
    const known = this.#needs.some(
      (need) => need.what === table.key && (need.access === access || need.access === 'write'),
    );
    if (!known) this.#needs.push(tableNeed(table, access, via));
  }

  /** What reading (or locking, or maintaining) a relation reads besides. */
  #read(table: ResolvedTable, access: Need['access'], only: boolean, place: Place): void {
    const facts = this.#factsOf(table);
    if (facts === null || !this.#first(`${access} ${only} ${table.key} ${pathText(place)}`)) return;
    const asked = !(this.#namesOnly && access === 'write');
    // A view with a rule of its own is where the rule says, whatever it reads.
    if (asked && facts.definition !== null && table.nature === 'view') {
      const { definition } = facts;
      // LOCK and FOR UPDATE of a view lock what is behind it; what a change of it reads is read where it is written.
      const touches = access === 'read' ? definition : { ...definition, locks: definition.reads };
      this.#behind(touches, `view ${table.key}`, place);
    }
    for (const work of facts.hidden) if (asked && work.on.includes('read')) this.#hidden(work, table, place);
    if (!only) this.#children(facts, table, (child) => this.#read(child, access, false, place), access);
  }

  #changed(table: ResolvedTable, change: Change, place: Place): void {
    this.#read(table, 'write', change.table.only === true, place);
    const facts = this.#factsOf(table);
    const columns = change.columns?.join('\0') ?? '';
    const how = `${change.cascade} ${change.table.only === true} ${change.moves === true}`;
    const what = `${change.op} ${how} ${table.key} ${columns}`;
    if (facts === null || !this.#first(`${what} ${pathText(place)}`)) return;
    const set = facts.hidden.filter((work) => isSetOff(work, change, facts));
    for (const work of set) this.#hidden(work, table, place);
    if (facts.updates !== null && table.nature === 'view' && !set.some((work) => work.instead)) {
      this.#updatable(table, facts.updates, change, place);
    }
    if (facts.kind === 'partitioned' && change.op === 'update') {
      // A row that moves to another partition is deleted there and inserted here.
      this.#changed(table, { ...change, op: 'delete', columns: null, moves: true }, place);
      this.#changed(table, { ...change, op: 'insert', columns: null, moves: true }, place);
    }
    if (change.table.only === true) return;
    this.#children(facts, table, (child) => this.#changed(child, ofChild(change, child), place), 'write');
  }

  /** A change of a view that Postgres turns into a change of its base. The columns may have other names there. */
  #updatable(view: ResolvedTable, base: TableName, change: TableChange, place: Place): void {
    const via = within(`view ${view.key}`, place.via);
    const scope = this.#scope(place);
    const table = findTable(base, scope);
    if (table === null) return;
    this.#need(table, 'write', via);
    this.#changed(table, { ...change, table: base, columns: null }, { scope, via });
  }

  #hidden(work: HiddenWork, table: ResolvedTable, place: Place): void {
    this.#behind(work.touches, `${work.what} on ${table.key}`, place);
  }

  /** Its names have their schemas; functions in it without a search_path of their own run with that of the place. */
  #behind(touches: Touches, what: string, place: Place): void {
    this.definition(touches, place.scope.searchPath, within(what, place.via));
  }

  #scope({ scope }: Place): NameScope {
    return { context: this.#context, searchPath: scope.searchPath, database: this.#database, inDefinition: true };
  }

  /**
   * Partitions and children are where the whole is, but for those that a rule (their own, or that of another parent)
   * puts elsewhere: these are needs of their own.
   */
  #children(
    facts: RelationFacts,
    parent: ResolvedTable,
    follow: (child: ResolvedTable) => void,
    access: Need['access'],
  ): void {
    for (const { schema, name } of facts.children) {
      const found = findTable({ schema, name }, this.#scope({ scope: statementScope(this.#context), via: null }));
      const own = found !== null && found.domain !== null && found.domain !== parent.domain;
      const child = own ? found : { ...parent, key: tableKey(schema, name), ref: { schema, name } };
      if (own) this.#need(child, access, `partition or child of ${parent.key}`);
      follow(child);
    }
  }

  #function(name: FunctionName, place: Place): void {
    const text = functionText(name);
    const found = functionsNamed(name, this.#database, place.scope);
    if (found.unknown) {
      this.#unknown.add(text);
      // A catalog read a moment ago may not have it yet.
      if (!isSequenceFunction(name)) this.#movesNames = true;
    }
    if (found.elsewhere.length > 0) {
      const homes = found.elsewhere;
      this.#needs.push({
        what: `function ${text}`,
        sort: 'function',
        access: 'read',
        homes,
        table: null,
        via: place.via,
      });
      return;
    }
    this.#bodies(name, found.here, place);
  }

  #calls(touches: Touches, place: Place): void {
    for (const name of touches.functions) this.#function(name, place);
    // Which of two with the same name is meant hangs on types that are not known here: the user's may be.
    for (const name of touches.homonyms ?? []) {
      this.#bodies(name, functionsAt(name, this.#database, place.scope) ?? [], place);
    }
  }

  /** Overloads have one name: all are followed, once for each search_path. */
  #bodies(name: FunctionName, found: readonly FunctionFacts[], place: Place): void {
    const schema = name.schema === undefined ? '' : tableKey(name.schema, '');
    if (found.length === 0 || !this.#first(`function ${schema}${name.name}\0${pathText(place)}`)) return;
    for (const one of found) this.#body(one, place);
  }

  #body(facts: FunctionFacts, place: Place): void {
    if (changesNames(facts.body)) this.#movesNames = true;
    const path = facts.searchPath ?? place.scope.searchPath;
    this.definition(facts.body, path, within(`function ${functionText(facts)}`, place.via));
  }

  /** A view of which this database's own definition is not known is taken to be what it is elsewhere. */
  #factsOf(table: ResolvedTable): RelationFacts | null {
    const { ref } = table;
    const { catalog, rules } = this.#context;
    if (ref === null || catalog?.relation === undefined) return null;
    const own = catalog.relation(this.#database, ref.schema, ref.name);
    if (own !== null || table.nature !== 'view') return own;
    if (catalog.hasRelation(this.#database, ref.schema, ref.name) !== null) return null;
    for (const database of rules.databases) {
      const facts = catalog.relation(database, ref.schema, ref.name);
      if (facts !== null) return facts;
    }
    return null;
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

export function isSetOff(work: HiddenWork, change: Change, { hidden }: RelationFacts): boolean {
  if (!work.on.includes(change.op)) return false;
  if (change.moves === true && work.what.startsWith('foreign key ')) return false;
  // Foreign keys matter to TRUNCATE only with CASCADE; without it Postgres refuses.
  const cascades = work.touches.changes.some((further) => further.op === 'truncate' && further.cascade);
  if (change.op === 'truncate' && cascades && !change.cascade) return false;
  if (change.op !== 'update' || work.columns === null || change.columns === null) return true;
  // A BEFORE trigger may set columns that the statement does not; foreign keys look at what comes out.
  const mayBeSet = hidden.some(({ what, on }) => what.startsWith('trigger ') && on.includes('update'));
  if (mayBeSet && work.what.startsWith('foreign key ')) return true;
  return work.columns.some((column) => change.columns?.includes(column));
}

function ofChild(change: Change, child: ResolvedTable): Change {
  return { ...change, table: child.ref ?? change.table };
}

const pathText = ({ scope }: Place): string => scope.searchPath.join('\0');

const changesNames = (body: Body): boolean => body.sets.some((name) => NAMES_HANG_ON.has(name));

/** Which sequence is meant is not known; what they do is. */
const isSequenceFunction = ({ schema, name }: FunctionName): boolean =>
  schema === 'pg_catalog' && (name === 'nextval' || name === 'setval' || name === 'currval');
