import { LONGEST_KEY } from '../../sql/fold.js';
import type { PlannedText } from '../planned-text.js';
import type { BegunRun, RecordedSession, Run } from '../recorded-session.js';
import type { Recorder } from '../recorder.js';
import { LeftOut } from './left-out.js';
import type { LogEntry } from './log-entry.js';
import { type StatementEvent, statementOf } from './statement-of-entry.js';

/**
 * Counts the statements of a log that log_statement, log_duration and log_min_duration_statement write.
 *
 * What is logged before it runs is kept until it is known how it ended: by its duration, by an error that tells of it,
 * or by the next thing that its session does.
 */
export class LogRecorder {
  readonly #recorder: Recorder;
  readonly #leftOut: LeftOut;
  /** Entries in a form that is not known. */
  #unknown = 0;
  #known = 0;
  /** Texts that Postgres could not parse: they never ran. */
  #syntaxErrors = 0;
  #latest = Number.NEGATIVE_INFINITY;
  #backwards = false;

  /** @param dbname the database that counts, by the name that it has on its server */
  constructor(recorder: Recorder, dbname: string) {
    this.#recorder = recorder;
    this.#leftOut = new LeftOut(dbname);
  }

  take(entry: LogEntry): void {
    if (this.#leftOut.isNoClient(entry)) return;
    const event = statementOf(entry);
    if (event.type === 'nothing') return;
    const reason = this.#leftOut.reason(entry);
    if (reason !== null) {
      if (event.type === 'started' || event.type === 'done') this.#leftOut.count(reason, entry);
      return;
    }
    if (event.type === 'unknown') {
      this.#unknown += 1;
      return;
    }
    this.#noteTime(entry.time);
    this.#apply(event, entry);
  }

  #apply(event: StatementEvent, entry: LogEntry): void {
    const recorder = this.#recorder;
    const session = recorder.session(entry);
    const run = (seconds: number): Run => ({ time: entry.time, transaction: entry.transaction, seconds });
    switch (event.type) {
      case 'started':
        this.#known += 1;
        recorder.settle(session);
        session.begun = {
          plan: recorder.plan(session, event.text),
          prepared: this.#prepared(session, event.prepared),
          length: event.text.length,
          run: run(0),
        };
        return;
      case 'done':
        this.#known += 1;
        recorder.settle(session);
        return recorder.done(
          session,
          recorder.plan(session, event.text),
          this.#prepared(session, event.prepared),
          run(event.seconds),
        );
      case 'fetched':
        recorder.settle(session);
        return recorder.more(session, recorder.plan(session, event.text), run(event.seconds));
      case 'duration':
        return recorder.settle(session, event.seconds);
      case 'failed':
        return this.#failed(session, event, run(0));
      case 'ended':
        if (session.begun !== null && !event.idle) this.#failBegun(session, session.begun, run(0));
        return recorder.close(entry.session);
      default:
        return;
    }
  }

  #failed(session: RecordedSession, event: Extract<StatementEvent, { readonly type: 'failed' }>, run: Run): void {
    const recorder = this.#recorder;
    const { text } = event;
    if (session.begun !== null && !event.idle && event.inExecution) {
      const plan = text === null ? null : recorder.plan(session, text);
      if (plan === null || isSame(session.begun, plan, text?.length ?? 0)) {
        return this.#failBegun(session, session.begun, run);
      }
    }
    recorder.settle(session);
    const plan = text === null ? null : recorder.plan(session, text);
    if (plan === null || (event.syntax && plan.syntaxError !== null)) {
      if (plan !== null) this.#syntaxErrors += 1;
      return recorder.failed(session, null, null, run);
    }
    recorder.failed(session, plan, null, run);
  }

  #failBegun(session: RecordedSession, begun: BegunRun, run: Run): void {
    session.begun = null;
    this.#recorder.failed(session, begun.plan, begun.prepared, run);
  }

  #prepared(session: RecordedSession, text: Buffer | null): PlannedText | null {
    return text === null ? null : this.#recorder.plan(session, text);
  }

  /** Files in another order than that of time tear sessions apart. */
  #noteTime(time: number): void {
    if (time < this.#latest - BACKWARDS_MS) this.#backwards = true;
    if (time > this.#latest) this.#latest = time;
  }

  /** Sentences for the reader: what was left out, and why. */
  notes(): string[] {
    const notes = this.#leftOut.notes();
    if (this.#unknown > 0 && this.#unknown > this.#known) {
      notes.push(
        `${this.#unknown} entries of class LOG are in no form that is known, and ${this.#known} are statements. Messages in another language than English cannot be told: set lc_messages = 'C' and log again.`,
      );
    }
    if (this.#syntaxErrors > 0)
      notes.push(`${this.#syntaxErrors} texts with a syntax error never ran and are left out.`);
    if (this.#backwards) {
      notes.push(
        'The files are not in the order of their time: give the oldest first, so that transactions stay whole.',
      );
    }
    return notes;
  }
}

/** Processes write at the same time; more than that is another order. */
const BACKWARDS_MS = 60_000;

/** Whether an error's text is the one that has begun. Texts too long for the cache have a new plan each time. */
const isSame = (begun: BegunRun, plan: PlannedText, length: number): boolean =>
  plan === begun.plan || (length > LONGEST_KEY && length === begun.length);
