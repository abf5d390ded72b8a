import { type Doings, hasTable, type Op, type RandomDatabase, type World } from './random-world.js';

/** Everything that a statement touches if this database runs it, found by plain recursion. */
export interface Closure {
  /** 'read t0', 'write t3' */
  readonly tables: ReadonlySet<string>;
  /** Why it cannot run there at all: a view or function that it lacks. */
  readonly missing: readonly string[];
}

/** Databases in which some table has a home, told without the router. */
export function databasesOf(world: World): readonly string[] {
  const used = world.domains.filter(({ phase }) => ['read-new', 'write-new', 'retired'].includes(phase));
  return [...new Set(['monolith', ...used.map((one) => one.database)])];
}

/** Where a table may be read or written, told without the router. */
export function homesOf(world: World, table: string, access: 'read' | 'write'): readonly string[] {
  const domain = world.domains.find((one) => one.tables.includes(table));
  if (domain === undefined) {
    // A table that only one database has is used by that one's definitions alone.
    return hasTable(world, 'monolith', table)
      ? ['monolith']
      : databasesOf(world).filter((one) => hasTable(world, one, table));
  }
  const moved = domain.phase === 'write-new' || domain.phase === 'retired';
  const copy =
    (domain.phase === 'read-new' && domain.readsNew && !domain.written && !world.oneSnapshot && domain.database) ||
    (domain.phase === 'write-new' && domain.inStep && 'monolith');
  const home = moved ? domain.database : 'monolith';
  return access === 'read' && copy ? [home, copy] : [home];
}

export function closureAt(world: World, database: string, does: Doings): Closure {
  const here = world.databases[database];
  if (here === undefined) throw new Error(`no database ${database}`);
  const walk = new Walk(world, database, here);
  walk.all(does, true);
  return { tables: walk.tables, missing: walk.missing };
}

class Walk {
  readonly tables = new Set<string>();
  readonly missing: string[] = [];
  readonly #seen = new Set<string>();
  readonly #world: World;
  readonly #database: string;
  readonly #here: RandomDatabase;

  constructor(world: World, database: string, here: RandomDatabase) {
    this.#world = world;
    this.#database = database;
    this.#here = here;
  }

  all(does: Doings, top: boolean): void {
    for (const name of does.reads) this.#touch(name, 'read', top);
    for (const name of does.locks) this.#touch(name, 'write', top);
    for (const { relation, op } of does.writes) this.#change(relation, op, top);
    for (const name of does.calls) this.#call(name);
  }

  #again(what: string): boolean {
    if (this.#seen.has(what)) return true;
    this.#seen.add(what);
    return false;
  }

  /** A relation that this database has not may be elsewhere; `top`: the statement names it, so it sees the monolith first. */
  #touch(name: string, access: 'read' | 'write', top: boolean): void {
    if (this.#again(`${access} ${name}`) && !top) return;
    const world = this.#world;
    if (world.domains.some((one) => one.tables.includes(name))) {
      this.tables.add(`${access} ${name}`);
      return;
    }
    const view = this.#here.views[name];
    const places = databasesOf(world);
    const isView = (one: string): boolean => world.databases[one]?.views[name] !== undefined;
    if (view !== undefined) {
      for (const read of view.reads) this.#touch(read, access, false);
    } else if (top ? places.some(isView) : isView('monolith')) {
      this.missing.push(`view ${name}`);
    } else if (top || hasTable(world, 'monolith', name)) {
      // What nobody knows is taken to be in the monolith.
      if (hasTable(world, 'monolith', name)) this.tables.add(`${access} ${name}`);
      else if (this.#database !== 'monolith') this.missing.push(name);
    } else if (hasTable(world, this.#database, name)) {
      this.tables.add(`${access} ${name}`);
    }
  }

  #change(name: string, op: Op, top: boolean): void {
    this.#touch(name, 'write', top);
    if (this.#again(`${op} ${name}`)) return;
    const view = this.#here.views[name];
    if (view?.updates) this.#change(view.updates, op, false);
    if (view !== undefined || hasTable(this.#world, this.#database, name)) {
      for (const { table, on, does } of this.#here.triggers) if (table === name && on === op) this.all(does, false);
    }
  }

  #call(name: string): void {
    const body = this.#here.functions[name];
    if (body !== undefined) {
      if (!this.#again(`call ${name}`)) this.all(body, false);
    } else if (databasesOf(this.#world).some((one) => this.#world.databases[one]?.functions[name] !== undefined)) {
      this.missing.push(`function ${name}`);
    }
  }
}

/** Whether a database has all that the statement touches there, at home. */
export function canRun(world: World, database: string, does: Doings): boolean {
  const { tables, missing } = closureAt(world, database, does);
  return (
    missing.length === 0 &&
    [...tables].every((one) => {
      const [access, table] = one.split(' ') as ['read' | 'write', string];
      return homesOf(world, table, access).includes(database);
    })
  );
}
