import { nameKey } from './names.js';
import type {
  FunctionName,
  SessionEffect,
  Statement,
  StatementKind,
  TableChange,
  TableName,
  Touches,
} from './statement.js';

/** Names in order of first appearance, without duplicates. */
export class NameList<N extends { readonly name: string }> {
  readonly names: N[] = [];
  private readonly seen = new Set<string>();

  add(name: N): void {
    const key = nameKey(name);
    if (this.seen.has(key)) return;
    this.seen.add(key);
    this.names.push(name);
  }
}

/** What has been found in one statement so far. `finish` makes the frozen Statement of it. */
export class Facts {
  readonly reads = new NameList<TableName>();
  readonly writes = new NameList<TableName>();
  readonly locks = new NameList<TableName>();
  readonly sequences = new NameList<TableName>();
  readonly functions = new NameList<FunctionName>();
  readonly effects: SessionEffect[] = [];
  readonly changes: TableChange[] = [];
  opaque: string | null = null;
  writesData = false;
  deterministic = true;
  ordered = false;
  copyStream: 'in' | 'out' | null = null;

  /** A relation that comes into being: a temporary one is the link's own and no database's table. */
  define(table: TableName, temporary: boolean): void {
    this.writesData = true;
    if (temporary || table.schema === 'pg_temp') this.effects.push({ type: 'create-temp', table: table.name });
    else this.writes.add(table);
  }

  write(table: TableName): void {
    this.writesData = true;
    this.writes.add(table);
  }

  /** What another piece of SQL touches, which this one runs. */
  add(touches: Touches): void {
    for (const table of touches.reads) this.reads.add(table);
    for (const table of touches.writes) this.writes.add(table);
    for (const table of touches.locks) this.locks.add(table);
    for (const sequence of touches.sequences) this.sequences.add(sequence);
    for (const called of touches.functions) this.functions.add(called);
    this.changes.push(...touches.changes);
    this.opaque ??= touches.opaque;
  }

  finish(kind: StatementKind): Statement {
    return freeze({
      kind,
      reads: this.reads.names,
      writes: this.writes.names,
      locks: this.locks.names,
      changes: this.changes,
      opaque: this.opaque,
      sequences: this.sequences.names,
      functions: this.functions.names,
      writesData: this.writesData,
      effects: this.effects,
      deterministic: this.deterministic,
      ordered: this.ordered,
      copyStream: this.copyStream,
    });
  }
}

/** Statements are shared by every session that sends the same text. */
function freeze(statement: Statement): Statement {
  for (const list of [statement.reads, statement.writes, statement.locks, statement.sequences]) Object.freeze(list);
  Object.freeze(statement.changes);
  Object.freeze(statement.functions);
  Object.freeze(statement.effects);
  return Object.freeze(statement);
}

/** What is said of a text that cannot be understood: it may do anything. */
export function unparsable(): Statement {
  const facts = new Facts();
  facts.writesData = true;
  facts.deterministic = false;
  return facts.finish('unparsable');
}
