import type { LogEntry } from './log-entry.js';

/**
 * What an entry says of a statement.
 * 'started': logged before it runs (log_statement); how it ends, the session's next entries say.
 * 'done':    logged with its duration, after it.
 * 'fetched': the next part of a portal that was counted before.
 * 'duration': of what the session started last.
 * 'failed':  an error, with its statement where the log has it.
 * 'ended':   the session was ended with what it was doing.
 */
export type StatementEvent =
  | { readonly type: 'started'; readonly text: Buffer; readonly prepared: Buffer | null }
  | { readonly type: 'done'; readonly text: Buffer; readonly prepared: Buffer | null; readonly seconds: number }
  | { readonly type: 'fetched'; readonly text: Buffer; readonly seconds: number }
  | { readonly type: 'duration'; readonly seconds: number }
  /** `idle`: the session was doing nothing. `inExecution`: not in one of the steps before (parse, bind). */
  | {
      readonly type: 'failed';
      readonly text: Buffer | null;
      readonly idle: boolean;
      readonly inExecution: boolean;
      readonly syntax: boolean;
    }
  | { readonly type: 'ended'; readonly idle: boolean }
  | { readonly type: 'nothing' }
  /** An entry of class LOG in none of the forms that Postgres writes in English. */
  | { readonly type: 'unknown' };

const NOTHING: StatementEvent = { type: 'nothing' };
const UNKNOWN: StatementEvent = { type: 'unknown' };

/** What messages begin with (postgres.c, check_log_duration, exec_simple_query, exec_execute_message). */
const STATEMENT = Buffer.from('statement: ');
const EXECUTE = Buffer.from('execute ');
const EXECUTE_FETCH = Buffer.from('execute fetch from ');
const DURATION = Buffer.from('duration: ');
const MILLISECONDS = Buffer.from(' ms');
const PREPARE = Buffer.from('prepare: ');
const TEXT_BEHIND = Buffer.from(': ');

/** Severities that tell of no failure, and are no class LOG; in English, as all of this. */
const NOTES = /^(?:DEBUG[1-5]?|INFO|NOTICE|WARNING)$/;

/** Other messages of class LOG that a session may write, by how they begin. */
const OTHERS =
  /^(?:AUDIT: |fastpath function call: |duration: |process \d+ |temporary file: |disconnection: |connection |could not |unexpected EOF|replication |received |starting |logical |sending cancel|invalid |parameter |checkpoint |automatic |query plan|procedure |background worker |recovery |using |SSL |wait|still )/;

/** What an entry of a client's session says of its statements. */
export function statementOf(entry: LogEntry): StatementEvent {
  const { severity } = entry;
  if (severity === 'LOG') return ofLog(entry);
  if (NOTES.test(severity)) return NOTHING;
  if (severity === 'FATAL' || severity === 'PANIC') return { type: 'ended', idle: entry.query === null };
  const { sqlstate } = entry;
  // In another language a severity says nothing; codes of these classes are no errors.
  if (sqlstate !== '' && /^(?:00|01|02)/.test(sqlstate)) return ofLog(entry);
  return {
    type: 'failed',
    text: entry.query,
    idle: entry.query === null && entry.tag.startsWith('idle'),
    inExecution: entry.tag !== 'PARSE' && entry.tag !== 'BIND',
    // Without a code, whether it parses says it.
    syntax: sqlstate === '42601' || sqlstate === '',
  };
}

function ofLog(entry: LogEntry): StatementEvent {
  const { message } = entry;
  if (beginsWith(message, 0, STATEMENT)) {
    return { type: 'started', text: message.subarray(STATEMENT.length), prepared: preparedOf(entry) };
  }
  if (beginsWith(message, 0, EXECUTE)) {
    const text = textBehind(message, EXECUTE.length);
    if (text === null) return UNKNOWN;
    if (beginsWith(message, 0, EXECUTE_FETCH)) return { type: 'fetched', text, seconds: 0 };
    return { type: 'started', text, prepared: preparedOf(entry) };
  }
  if (beginsWith(message, 0, DURATION)) return ofDuration(entry, message);
  return OTHERS.test(message.toString('latin1', 0, 40)) ? NOTHING : UNKNOWN;
}

/** 'duration: 0.123 ms', and most often '  statement: ...' or '  execute name: ...' behind it. */
function ofDuration(entry: LogEntry, message: Buffer): StatementEvent {
  const numberEnd = message.indexOf(MILLISECONDS, DURATION.length);
  if (numberEnd < 0) return UNKNOWN;
  const seconds = Number(message.toString('latin1', DURATION.length, numberEnd)) / 1000;
  if (Number.isNaN(seconds)) return UNKNOWN;
  const at = numberEnd + MILLISECONDS.length + 2;
  if (at >= message.length) return ofWhat(entry.tag, seconds);
  if (beginsWith(message, at, STATEMENT)) {
    return { type: 'done', text: message.subarray(at + STATEMENT.length), prepared: preparedOf(entry), seconds };
  }
  // parse, bind, and auto_explain's plan.
  if (!beginsWith(message, at, EXECUTE)) return NOTHING;
  const text = textBehind(message, at + EXECUTE.length);
  if (text === null) return UNKNOWN;
  if (beginsWith(message, at, EXECUTE_FETCH)) return { type: 'fetched', text, seconds };
  return { type: 'done', text, prepared: preparedOf(entry), seconds };
}

/** A duration without a text may be that of the extended protocol's first two steps. */
const ofWhat = (tag: string, seconds: number): StatementEvent =>
  tag === 'PARSE' || tag === 'BIND' ? NOTHING : { type: 'duration', seconds };

/** The text behind 'name/portal: '. */
function textBehind(message: Buffer, from: number): Buffer | null {
  const at = message.indexOf(TEXT_BEHIND, from);
  return at < 0 ? null : message.subarray(at + TEXT_BEHIND.length);
}

/** The PREPARE that an EXECUTE runs. Other details are parameters: a client's data, which is not looked at. */
function preparedOf({ detail }: LogEntry): Buffer | null {
  return detail !== null && beginsWith(detail, 0, PREPARE) ? detail.subarray(PREPARE.length) : null;
}

function beginsWith(bytes: Buffer, at: number, word: Buffer): boolean {
  if (at + word.length > bytes.length) return false;
  for (let i = 0; i < word.length; i += 1) if (bytes[at + i] !== word[i]) return false;
  return true;
}
