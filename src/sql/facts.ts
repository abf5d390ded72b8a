import { ChangeList, FunctionList, TableList } from './name-list.js';
import type {
  ColumnFill,
  PinnedRow,
  SessionEffect,
  Statement,
  StatementKind,
  TableChange,
  TableName,
  Touches,
} from './statement.js';

/** How many functions a statement was found to call. */
export interface FunctionCount {
  readonly functions: number;
  readonly homonyms: number;
}

export const NO_FUNCTIONS: FunctionCount = Object.freeze({ functions: 0, homonyms: 0 });

/** What has been found in one statement so far. `finish` makes the frozen Statement of it. */
export class Facts {
  readonly reads = new TableList();
  readonly writes = new TableList();
  readonly locks = new TableList();
  readonly sequences = new TableList();
  readonly functions = new FunctionList();
  readonly homonyms = new FunctionList();
  readonly effects: SessionEffect[] = [];
  readonly changes = new ChangeList();
  readonly schemas: string[] = [];
  opaque: string | null = null;
  writesData = false;
  deterministic = true;
  /** What first made it hang on more than the data. */
  unsteady: string | null = null;
  readonly fills: ColumnFill[] = [];
  readonly pins: PinnedRow[] = [];
  ordered = false;
  copyStream: 'in' | 'out' | null = null;

  /**
   * A relation that comes into being: a temporary one is the link's own and no database's table. `follows`: it is made
   * where what it is made of is.
   */
  define(table: TableName, temporary: boolean, follows = false): void {
    this.writesData = true;
    if (temporary || table.schema === 'pg_temp') {
      this.effects.push({ type: 'create-temp', table: table.name });
      return;
    }
    this.writes.add(table);
    this.create(table, follows);
  }

  create(table: TableName, follows: boolean): void {
    this.effects.push({ type: 'create-relation', table, ...(follows ? { follows } : {}) });
  }

  write(table: TableName): void {
    this.writesData = true;
    this.writes.add(table);
  }

  /** DML on a table. `columns`: what an UPDATE sets, else null. */
  change(table: TableName, op: TableChange['op'], columns: readonly string[] | null = null, cascade = false): void {
    this.write(table);
    this.changes.add({ table, op, columns, cascade });
  }

  /** What another piece of SQL touches, which this one runs. */
  add(touches: Touches): void {
    for (const table of touches.reads) this.reads.add(table);
    for (const table of touches.writes) this.writes.add(table);
    for (const table of touches.locks) this.locks.add(table);
    for (const sequence of touches.sequences) this.sequences.add(sequence);
    for (const called of touches.functions) this.functions.add(called);
    for (const called of touches.homonyms ?? []) this.homonyms.add(called);
    for (const change of touches.changes) this.changes.add(change);
    this.opaque ??= touches.opaque;
  }

  /** Two databases with the same rows may answer differently. @param what says so: 'now()', 'LIMIT without ORDER BY' */
  hangsOn(what: string): void {
    this.deterministic = false;
    this.unsteady ??= what;
  }

  functionsSoFar(): FunctionCount {
    return { functions: this.functions.names.length, homonyms: this.homonyms.names.length };
  }

  /** Forgets the functions found since: they stand in a definition, and are not called now. */
  cutFunctions(count: FunctionCount): void {
    this.functions.cut(count.functions);
    this.homonyms.cut(count.homonyms);
  }

  finish(kind: StatementKind): Statement {
    return freeze({
      kind,
      reads: this.reads.names,
      writes: this.writes.names,
      locks: this.locks.names,
      changes: this.changes.changes,
      opaque: this.opaque,
      sequences: this.sequences.names,
      functions: this.functions.names,
      ...(this.homonyms.names.length > 0 && { homonyms: this.homonyms.names }),
      writesData: this.writesData,
      effects: this.effects,
      deterministic: this.deterministic,
      ordered: this.ordered,
      copyStream: this.copyStream,
      ...(this.unsteady === null ? {} : { unsteady: this.unsteady }),
      ...(this.fills.length === 0 ? {} : { fills: this.fills }),
      ...(this.pins.length === 0 ? {} : { pins: this.pins }),
      ...(this.schemas.length === 0 ? {} : { schemas: this.schemas }),
    });
  }
}

/** Statements are shared by every session that sends the same text. */
function freeze(statement: Statement): Statement {
  for (const list of [statement.reads, statement.writes, statement.locks, statement.sequences]) Object.freeze(list);
  const { changes, functions, effects, schemas, homonyms, fills, pins } = statement;
  for (const list of [changes, functions, effects, schemas, homonyms, fills, pins]) Object.freeze(list);
  return Object.freeze(statement);
}

/** What is said of a text that cannot be understood: it may do anything. */
export function unparsable(): Statement {
  const facts = new Facts();
  facts.writesData = true;
  facts.deterministic = false;
  return facts.finish('unparsable');
}
