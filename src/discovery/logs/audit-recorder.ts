import { LRUCache } from 'lru-cache';
import type { CatalogView } from '../../routing/catalog-view.js';
import type { PlannedStatement, PlannedText, SeenTable } from '../planned-text.js';
import type { RecordedSession } from '../recorded-session.js';
import type { Recorder, SessionFacts } from '../recorder.js';
import { auditedTable } from './audited-table.js';
import { LeftOut } from './left-out.js';
import type { LogEntry } from './log-entry.js';
import { type AuditLine, auditLineOf } from './pgaudit.js';
import { type StatementEvent, statementOf } from './statement-of-entry.js';

/** One execution, of which more lines may come. */
interface Execution {
  readonly facts: SessionFacts;
  readonly statementId: number;
  readonly time: number;
  readonly transaction: string;
  /** What the client sent, and the statement of it that this is; null where it was not logged. */
  plan: PlannedText | null;
  /** All of what the client sent. */
  sent: PlannedText | null;
  rows: number;
  failed: boolean;
  readonly more: SeenTable[];
  /** Of a string of several statements, the one of `plan` that comes next. */
  next: { readonly plan: PlannedText; readonly at: number } | null;
}

/** As many as the recorder knows. */
const MOST_SESSIONS = 20_000;

/**
 * Counts the statements that pgaudit has logged. A statement is told of by several lines: what the client sent, what ran
 * within it, and, with pgaudit.log_relation, each table of both. What is touched by statements within, and cannot be
 * seen in the client's text (dynamic SQL), is added to what that text touches.
 */
export class AuditRecorder {
  readonly #recorder: Recorder;
  readonly #leftOut: LeftOut;
  readonly #database: string;
  readonly #catalog: CatalogView | null;
  readonly #open: LRUCache<string, Execution>;
  #lines = 0;
  #entries = 0;
  #withoutText = 0;

  /**
   * @param dbname the database that counts, by the name that it has on its server
   * @param database the same, by its name in pgfig.yaml
   */
  constructor(recorder: Recorder, dbname: string, database: string, catalog: CatalogView | null) {
    this.#recorder = recorder;
    this.#leftOut = new LeftOut(dbname);
    this.#database = database;
    this.#catalog = catalog;
    this.#open = new LRUCache({ max: MOST_SESSIONS, dispose: (execution) => this.#finish(execution) });
  }

  take(entry: LogEntry): void {
    this.#entries += 1;
    if (this.#leftOut.isNoClient(entry)) return;
    const line = auditLineOf(entry.message);
    const event = line === null ? statementOf(entry) : null;
    if (line === null && event?.type !== 'failed' && event?.type !== 'ended') return;
    const reason = this.#leftOut.reason(entry);
    if (reason !== null) {
      if (line?.substatementId === 1) this.#leftOut.count(reason, entry);
      return;
    }
    if (line !== null) this.#line(entry, line);
    else if (event?.type === 'failed') this.#failed(entry, event);
    else this.#ended(entry, event?.type === 'ended' && event.idle);
  }

  #line(entry: LogEntry, line: AuditLine): void {
    this.#lines += 1;
    const open = this.#open.get(entry.session);
    const execution = open?.statementId === line.statementId ? open : this.#begin(entry, line, open?.next ?? null);
    const session = this.#recorder.session(execution.facts);
    const table = auditedTable(line, this.#catalog, this.#database);
    if (table !== null) execution.more.push(table);
    if (line.substatementId === 1) {
      execution.rows = Math.max(execution.rows, line.rows ?? 0);
      if (execution.plan === null && line.text !== null) this.#text(session, execution, line.text, line.command);
    } else if (line.text !== null) {
      execution.more.push(...this.#touchedBy(session, line.text));
    }
  }

  #begin(entry: LogEntry, line: AuditLine, next: Execution['next']): Execution {
    const { session, user, application, address, time, transaction } = entry;
    const execution: Execution = {
      facts: { session, user, application, address },
      statementId: line.statementId,
      time,
      transaction,
      plan: null,
      sent: null,
      rows: 0,
      failed: false,
      more: [],
      next,
    };
    // The one before is finished by being replaced.
    this.#open.set(session, execution);
    return execution;
  }

  /** Each statement of a string has an execution of its own, with the text of the whole string. */
  #text(session: RecordedSession, execution: Execution, text: string, command: string): void {
    const plan = this.#recorder.plan(session, Buffer.from(text));
    const { statements } = plan;
    execution.sent = plan;
    const from = execution.next?.plan === plan ? execution.next.at : 0;
    const later = statements.findIndex((planned, at) => at >= from && isCommand(planned, command));
    const found = later >= 0 ? later : statements.findIndex((planned) => isCommand(planned, command));
    const at = found >= 0 ? found : 0;
    execution.next = statements.length > 1 ? { plan, at: at + 1 } : null;
    const planned = statements[at];
    // EXECUTE is logged with the text of its PREPARE, and the command of the statement inside.
    const runs = command === 'PREPARE' ? planned : (planned?.inside ?? planned);
    execution.plan = { ...plan, statements: runs === undefined ? [] : [runs] };
  }

  /** Tables of a statement that ran within another. */
  #touchedBy(session: RecordedSession, text: string): SeenTable[] {
    const { statements } = this.#recorder.plan(session, Buffer.from(text));
    return statements.flatMap(({ footprint }) =>
      (footprint?.entries ?? [])
        // What cannot be read here is an expression of PL/pgSQL.
        .filter(({ access }) => access !== 'opaque')
        .map(({ table, access }) => ({
          table,
          access,
          named: false,
          view: footprint?.joined.includes(table) !== true,
        })),
    );
  }

  #finish(execution: Execution): void {
    const { facts, time, transaction, rows, failed } = execution;
    const session = this.#recorder.session(facts);
    if (execution.plan === null) this.#withoutText += 1;
    const plan = execution.plan ?? this.#recorder.unseen(session);
    // What the text does not tell, it does not name.
    const more = execution.plan === null ? execution.more : execution.more.map((seen) => ({ ...seen, named: false }));
    const run = { time, transaction, seconds: 0, rows, more };
    if (failed) this.#recorder.failed(session, plan, null, run);
    else this.#recorder.done(session, plan, null, run);
  }

  #failed(entry: LogEntry, event: Extract<StatementEvent, { readonly type: 'failed' }>): void {
    const open = this.#open.peek(entry.session);
    const recorder = this.#recorder;
    const session = recorder.session(entry);
    const plan = event.text === null ? null : recorder.plan(session, event.text);
    if (open !== undefined && !event.idle && event.inExecution && isOf(open, plan)) {
      open.failed = true;
      this.#open.delete(entry.session);
      return;
    }
    this.#open.delete(entry.session);
    const { time, transaction } = entry;
    const neverRan = plan === null || (event.syntax && plan.syntaxError !== null);
    recorder.failed(session, neverRan ? null : plan, null, { time, transaction, seconds: 0 });
  }

  #ended(entry: LogEntry, idle: boolean): void {
    const open = this.#open.peek(entry.session);
    if (open !== undefined && !idle) open.failed = true;
    this.#open.delete(entry.session);
    this.#recorder.close(entry.session);
  }

  /** There is no more. */
  end(): void {
    this.#open.clear();
  }

  /** Sentences for the reader: what was left out, and why. */
  notes(): string[] {
    const notes = this.#leftOut.notes();
    if (this.#lines === 0 && this.#entries > 0) {
      notes.push(
        `None of ${this.#entries} entries is pgaudit's. Is pgaudit in shared_preload_libraries, and pgaudit.log set?`,
      );
    }
    if (this.#withoutText > 0) {
      notes.push(
        `${this.#withoutText} statements were logged without their text (pgaudit.log_statement is off, or their class is not in pgaudit.log): only the tables that pgaudit names count, if any.`,
      );
    }
    return notes;
  }
}

/** Whether an error's text is that of the execution; of an EXECUTE the log has the text of its PREPARE. */
function isOf({ sent }: Execution, plan: PlannedText | null): boolean {
  if (plan === null || sent === null || sent === plan) return true;
  return plan.statements[0]?.statement.kind === 'execute';
}

/** Whether the statement has this command tag. */
function isCommand({ statement: { kind }, inside }: PlannedStatement, command: string): boolean {
  if (inside !== null && command !== 'PREPARE') return isCommand(inside, command);
  const words = COMMANDS[kind] ?? [kind.split('-', 1).join('').toUpperCase()];
  return words.some((word) => command.startsWith(word));
}

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  ddl: ['CREATE', 'ALTER', 'DROP', 'COMMENT', 'GRANT', 'REVOKE', 'REFRESH', 'REASSIGN', 'IMPORT', 'SECURITY', 'SELECT'],
  maintenance: ['VACUUM', 'ANALYZE', 'CLUSTER', 'REINDEX'],
  values: ['SELECT'],
};
