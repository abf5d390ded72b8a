import type pg from 'pg';
import { PgfigError } from '../errors/pgfig-error.js';
import type { Tally } from '../matrix/tally.js';
import { TallyBook } from '../matrix/tally-book.js';
import type { Found } from './found.js';
import { PlannedTexts } from './planned-text.js';
import type { RecorderOptions } from './recorder.js';
import { NameContexts } from './session-names.js';

/** A row of pg_stat_statements; counts and times come as text or numbers, as the driver gives them. */
interface StatRow {
  readonly role: string | null;
  readonly query: string | null;
  readonly calls: string;
  readonly rows: string;
  readonly milliseconds: number;
  readonly since: Date | null;
}

const HIDDEN = '<insufficient privilege>';
/** Our own statements are in there too. */
const OWN = '/* pgfig discover */';

/**
 * The matrix of what pg_stat_statements has summed up for the database that `client` is connected to. Services are
 * users there, and nothing is told of transactions.
 *
 * @throws PgfigError BACKEND_ANSWERED where the extension is not there or cannot be read
 */
export async function readStatStatements(client: pg.Client, options: RecorderOptions): Promise<Found> {
  const { schema, columns } = await viewOf(client);
  const reset = await resetOf(client, schema, columns);
  const rows = await rowsOf(client, schema, columns);
  return countRows(rows, { reset, topLevelOnly: columns.has('toplevel'), now: Date.now() }, options);
}

/** What is not known of each row. */
interface StatFacts {
  /** When counting began, in ms since 1970; null: not known (before PostgreSQL 14). */
  readonly reset: number | null;
  /** Statements within functions are left out. */
  readonly topLevelOnly: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The matrix of these rows. */
export function countRows(rows: readonly StatRow[], facts: StatFacts, options: RecorderOptions): Found {
  const texts = new PlannedTexts(options.parser, options.cache, options.database);
  const contexts = new NameContexts(options.database, options.catalog);
  const book = new TallyBook();
  const left = { hidden: 0, lost: 0, unparsable: 0, unparsableCalls: 0 };
  let statements = 0;
  for (const { role, query, calls, rows: count, milliseconds, since } of rows) {
    if (query === HIDDEN) left.hidden += 1;
    else if (query === null) left.lost += 1;
    if (query === null || query === HIDDEN || query.includes(OWN)) continue;
    const plan = texts.get(Buffer.from(query), true, contexts.of(contexts.initialPath(role ?? ''), []));
    if (plan.syntaxError !== null) {
      left.unparsable += 1;
      left.unparsableCalls += Number(calls);
      continue;
    }
    statements += Number(calls);
    const service = options.serviceOf('', role ?? '', '');
    for (const planned of plan.statements) {
      // Of an EXECUTE the text of its PREPARE is kept; PREPARE itself is not counted there.
      const tally = texts.tally(planned.inside ?? planned, service);
      if (tally === null) continue;
      book.done(tally, Number(count), milliseconds / 1000);
      tally.statements += Number(calls) - 1;
      noteTime(tally, since?.getTime() ?? facts.reset ?? facts.now, facts.now);
    }
  }
  const matrix = book.harvest(facts.now);
  const firsts = matrix.cells.map(({ first }) => first);
  return {
    matrix,
    statements,
    failures: 0,
    since: facts.reset ?? (firsts.length > 0 ? Math.min(...firsts) : null),
    until: facts.now,
    notes: notesOf(left, facts),
  };
}

function noteTime(tally: Tally, first: number, last: number): void {
  if (tally.first === 0 || first < tally.first) tally.first = first;
  tally.last = last;
}

function notesOf(
  left: {
    readonly hidden: number;
    readonly lost: number;
    readonly unparsable: number;
    readonly unparsableCalls: number;
  },
  { reset, topLevelOnly }: StatFacts,
): string[] {
  const notes = [
    'Services are users here: pg_stat_statements does not keep application_name. It tells nothing of transactions and failures.',
  ];
  if (left.hidden > 0) {
    notes.push(
      `${left.hidden} statements of other users may not be read, and are left out: GRANT pg_read_all_stats to the user that pgfig logs in as.`,
    );
  }
  if (left.lost > 0) notes.push(`${left.lost} statements are left out, whose text pg_stat_statements has lost.`);
  if (left.unparsable > 0) {
    notes.push(
      `${left.unparsable} texts (${left.unparsableCalls} calls) are left out: what pg_stat_statements made of them does not parse.`,
    );
  }
  if (!topLevelOnly) {
    notes.push(
      'Before PostgreSQL 14, statements within functions cannot be told apart: with pg_stat_statements.track = all they are counted as if their user had sent them.',
    );
  }
  if (reset === null) notes.push('Since when pg_stat_statements counts is not known before PostgreSQL 14.');
  return notes;
}

async function viewOf(client: pg.Client): Promise<{ readonly schema: string; readonly columns: ReadonlySet<string> }> {
  const found = await client.query<{ schema: string; columns: string[] }>(
    `SELECT ${OWN} quote_ident(n.nspname) AS schema,
            ARRAY(SELECT a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                  WHERE c.relname = 'pg_stat_statements' AND c.relnamespace = n.oid AND a.attnum > 0) AS columns
       FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
      WHERE e.extname = 'pg_stat_statements'`,
  );
  const view = found.rows[0];
  if (view === undefined) {
    throw new PgfigError(
      'BACKEND_ANSWERED',
      `the database ${client.database ?? ''} does not have the extension pg_stat_statements`,
      {
        sqlstate: '42704',
        hint: 'Add pg_stat_statements to shared_preload_libraries, restart the server, and run CREATE EXTENSION pg_stat_statements in this database; what ran before is not known to it.',
      },
    );
  }
  return { schema: view.schema, columns: new Set(view.columns) };
}

async function rowsOf(client: pg.Client, schema: string, columns: ReadonlySet<string>): Promise<readonly StatRow[]> {
  // total_time until 12; toplevel since 14; stats_since since 17.
  const time = columns.has('total_exec_time') ? 's.total_exec_time' : 's.total_time';
  const since = columns.has('stats_since') ? 's.stats_since' : 'NULL::timestamptz';
  const top = columns.has('toplevel') ? 'AND s.toplevel' : '';
  return asked(async () => {
    const { rows } = await client.query<StatRow>(
      `SELECT ${OWN} r.rolname::text AS role, s.query, s.calls, s.rows, ${time} AS milliseconds, ${since} AS since
         FROM ${schema}.pg_stat_statements s LEFT JOIN pg_roles r ON r.oid = s.userid
        WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND s.calls > 0 ${top}`,
    );
    return rows;
  });
}

async function resetOf(client: pg.Client, schema: string, columns: ReadonlySet<string>): Promise<number | null> {
  // The view pg_stat_statements_info came with the column toplevel, in PostgreSQL 14.
  if (!columns.has('toplevel')) return null;
  return asked(async () => {
    const { rows } = await client.query<{ stats_reset: Date }>(
      `SELECT ${OWN} stats_reset FROM ${schema}.pg_stat_statements_info`,
    );
    return rows[0]?.stats_reset.getTime() ?? null;
  });
}

async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause) || typeof cause.code !== 'string') throw cause;
    throw new PgfigError('BACKEND_ANSWERED', `pg_stat_statements cannot be read: ${cause.message}`, {
      sqlstate: cause.code,
      hint: 'It must stand in shared_preload_libraries (restart the server), and the user that pgfig logs in as must be allowed to read it (pg_read_all_stats).',
      cause,
    });
  }
}
