import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Tests run from build/; cases and schema stay where they are written. */
const HERE = path.join(import.meta.dirname, '../../../test/ground-truth');

/** Why pgfig may name more than the server locks, or the server lock more than pgfig names. */
const REASONS = new Set([
  // Named and not locked:
  'named only', // regclass and its kin, COMMENT, privileges: the name is looked up, the table is not opened
  'not run', // a branch, a WHEN, a condition, a policy of another command: not taken with these rows
  'no rows', // a cascade that finds nothing
  'deferred', // its trigger waits for COMMIT
  'other partition', // its trigger is on a partition that was not the one
  'overload', // the other function of that name
  'other columns', // a key or column that another change would hand on
  'materialized', // the rows lie in the materialized view; a route follows it to where its base is
  'of the view', // DDL about a view, of which the base is known too
  'undone', // a savepoint, or the statement itself, has given it back
  'not there', // IF EXISTS of what does not exist; or it is there, for IF NOT EXISTS
  'only explained', // EXPLAIN does not run it
  // Locked and not named:
  'depends on it', // DROP ... CASCADE, ALTER DOMAIN: goes or is checked with what is named, in the same database
  'only checked', // a function's body, when it is made
  'made by the function', // a temporary table
  'made here', // a view of this session, which no catalog has told of yet
  'locked as read', // LOCK TABLE of a view locks its base, which a route lists as read; and its `writes` is true
  'not followed yet', // a gap that is known: the tables behind it are not named
]);

/** Who runs a case, and with what: one connection for each that differs. */
export interface Login {
  readonly user: string;
  /** The startup packet's options, as in PGOPTIONS. */
  readonly options: string;
}

/** Statements that run in one transaction, which is rolled back. */
export interface Case {
  /** file:line, for people and for the test's output. */
  readonly at: string;
  readonly section: string;
  readonly login: Login;
  /** Run before the transaction begins, and undone after the case by DISCARD ALL. */
  readonly before: readonly string[];
  readonly sql: string;
  /** Tables that pgfig rightly names though the server did not lock them -> why. */
  readonly beyond: ReadonlyMap<string, string>;
  /** Tables that the server locks though pgfig need not name them -> why. */
  readonly unseen: ReadonlyMap<string, string>;
  /** Tables that the server locks as if they were written though they count as read -> why. */
  readonly onlyRead: ReadonlyMap<string, string>;
}

const SUPERUSER: Login = { user: 'postgres', options: '' };

/** schema/*.sql, in the order of their names. */
export function schemaFiles(): string[] {
  return filesIn('schema').map(({ text }) => text);
}

/**
 * cases/*.sql: paragraphs between blank lines, each a case. Sections begin with `-- section: NAME`; until the next,
 * `-- login: USER [OPTIONS]` and `-- before: SQL` hold for each of their cases. Before a case's own text may stand
 * `--: before SQL`, `--: beyond TABLE, TABLE: why`, `--: unseen TABLE: why`, `--: only-read TABLE: why`.
 */
export function readCases(): Case[] {
  return filesIn('cases').flatMap(({ name, text }) => casesIn(name, text));
}

function filesIn(folder: string): { readonly name: string; readonly text: string }[] {
  const files = readdirSync(path.join(HERE, folder)).filter((name) => name.endsWith('.sql'));
  return files.sort().map((name) => ({ name, text: readFileSync(path.join(HERE, folder, name), 'utf8') }));
}

function casesIn(file: string, text: string): Case[] {
  const cases: Case[] = [];
  let section = { name: '', login: SUPERUSER, before: [] as string[] };
  let line = 1;
  for (const paragraph of text.split(/\n\n/)) {
    const lines = paragraph.split('\n');
    const at = `${file}:${line}`;
    line += lines.length + 1;
    const own = { before: [] as string[], beyond: new Map(), unseen: new Map(), onlyRead: new Map() };
    while (lines[0]?.startsWith('--') || lines[0] === '') {
      const said = /^--(:?) ?([a-z-]+):? ?(.*)$/.exec(lines.shift() ?? '');
      if (said === null) continue;
      const [, colon, word, rest = ''] = said;
      if (colon === '') {
        if (word === 'section') section = { name: rest, login: SUPERUSER, before: [] };
        else if (word === 'login') section.login = loginOf(rest);
        else if (word === 'before') section.before.push(rest);
        else throw new Error(`${at}: ${word}?`);
      } else if (word === 'before') own.before.push(rest);
      else if (word === 'beyond') excuse(own.beyond, rest);
      else if (word === 'unseen') excuse(own.unseen, rest);
      else if (word === 'only-read') excuse(own.onlyRead, rest);
      else throw new Error(`${at}: ${word}?`);
    }
    const sql = lines.join('\n').trim();
    if (sql === '') continue;
    const { name, login, before } = section;
    cases.push({ at, section: name, login, sql, ...own, before: [...before, ...own.before] });
  }
  return cases;
}

/** `clerk -c search_path=hr` */
function loginOf(text: string): Login {
  const [user = 'postgres', ...options] = text.split(' ');
  return { user, options: options.join(' ') };
}

/** `public.a, public.b: why` */
function excuse(into: Map<string, string>, text: string): void {
  const colon = text.lastIndexOf(': ');
  if (colon < 0) throw new Error(`no reason: ${text}`);
  const reason = text.slice(colon + 2);
  if (!REASONS.has(reason)) throw new Error(`no reason that is known: ${text}`);
  for (const table of text.slice(0, colon).split(', ')) into.set(table, reason);
}
