import { PgfigError } from '../../errors/pgfig-error.js';
import {
  bindComplete,
  closeComplete,
  emptyQueryResponse,
  noData,
  parameterDescription,
  parseComplete,
} from '../../wire/backend-messages.js';
import { int16, int32, malformed, uint16 } from '../../wire/bytes.js';
import { decodeBindNames, decodeClose, decodeDescribe, decodeExecute, decodeParse } from '../../wire/decode.js';
import type { Console, ConsoleAnswer, ConsoleCommand } from './console.js';
import { columnFormats, describeColumns } from './console-rows.js';

/** null: an empty text. */
type Statement = ConsoleCommand | null;

export interface ConsolePortal {
  readonly statement: Statement;
  readonly formats: readonly number[];
  /** What is still to be shown; null: not run yet. */
  answer: ConsoleAnswer | null;
  at: number;
}

/** Names that a client may hold at once; Postgres has no such limit, but its memory is not shared with traffic. */
const MOST_NAMES = 1_000;

/**
 * Prepared statements and portals of a console session (55.2.3). Commands have no parameters, and as there are no
 * transactions, Sync ends every portal.
 */
export class ConsoleStatements {
  readonly #console: Console;
  readonly #say: (message: Buffer) => void;
  readonly #statements = new Map<string, Statement>();
  readonly #portals = new Map<string, ConsolePortal>();

  constructor(console: Console, say: (message: Buffer) => void) {
    this.#console = console;
    this.#say = say;
  }

  /** @throws PgfigError UNKNOWN_COMMAND, DUPLICATE_STATEMENT */
  parse(body: Buffer): void {
    const { name, queryStart, queryEnd } = decodeParse(body, 0, body.length);
    if (name !== '' && this.#statements.has(name)) {
      throw new PgfigError('DUPLICATE_STATEMENT', `prepared statement "${shown(name)}" already exists`);
    }
    if (name === '') this.#statements.delete('');
    else expectRoom(this.#statements.size);
    const commands = this.#console.read(body.toString('utf8', queryStart, queryEnd));
    if (commands.length > 1) {
      throw new PgfigError('UNKNOWN_COMMAND', 'cannot insert multiple commands into a prepared statement');
    }
    this.#statements.set(name, commands[0] ?? null);
    this.#say(parseComplete);
  }

  /** @throws PgfigError UNDEFINED_STATEMENT, DUPLICATE_CURSOR, PROTOCOL_VIOLATION_IN_QUERY */
  bind(body: Buffer): void {
    const names = decodeBindNames(body, 0, body.length);
    const statement = this.#statement(names.statement);
    if (names.portal !== '' && this.#portals.has(names.portal)) {
      throw new PgfigError('DUPLICATE_CURSOR', `cursor "${shown(names.portal)}" already exists`);
    }
    if (names.portal !== '') expectRoom(this.#portals.size);
    const codes = resultFormats(body, names.end, names.statement);
    const formats = columnFormats(codes, statement?.columns?.length ?? 0);
    this.#portals.set(names.portal, { statement, formats, answer: null, at: 0 });
    this.#say(bindComplete);
  }

  describe(body: Buffer): void {
    const { what, name } = decodeDescribe(body, 0, body.length);
    const statement = what === 'S' ? this.#statement(name) : this.portal(name).statement;
    const formats = what === 'S' ? [] : this.portal(name).formats;
    if (what === 'S') this.#say(parameterDescription([]));
    this.#say(statement === null || statement.columns === null ? noData : describeColumns(statement.columns, formats));
  }

  /** The portal to be run and how many rows are wanted (0: all); null where there is nothing to run. */
  execute(body: Buffer): { portal: ConsolePortal; command: ConsoleCommand; maxRows: number } | null {
    const { portal: name, maxRows } = decodeExecute(body, 0, body.length);
    const portal = this.portal(name);
    if (portal.statement === null) {
      this.#say(emptyQueryResponse);
      return null;
    }
    return { portal, command: portal.statement, maxRows: Math.max(0, maxRows) };
  }

  close(body: Buffer): void {
    const { what, name } = decodeClose(body, 0, body.length);
    if (what === 'S') this.#statements.delete(name);
    else this.#portals.delete(name);
    this.#say(closeComplete);
  }

  endPortals(): void {
    this.#portals.clear();
  }

  /** As a simple Query does. */
  forgetUnnamed(): void {
    this.#statements.delete('');
    this.#portals.clear();
  }

  portal(name: string): ConsolePortal {
    const portal = this.#portals.get(name);
    if (portal === undefined) throw new PgfigError('UNDEFINED_CURSOR', `portal "${shown(name)}" does not exist`);
    return portal;
  }

  #statement(name: string): Statement {
    const statement = this.#statements.get(name);
    if (statement !== undefined) return statement;
    const which = name === '' ? 'unnamed prepared statement' : `prepared statement "${shown(name)}"`;
    throw new PgfigError('UNDEFINED_STATEMENT', `${which} does not exist`);
  }
}

/** Names are keys, read as latin1; people see UTF-8. */
const shown = (name: string): string => Buffer.from(name, 'latin1').toString('utf8');

function expectRoom(taken: number): void {
  if (taken < MOST_NAMES) return;
  throw new PgfigError('PROTOCOL_VIOLATION_IN_QUERY', `more than ${MOST_NAMES} names in a session of the console`);
}

/** What follows the names in Bind: Int16 n, Int16 format*; Int16 n, parameters; Int16 n, Int16 result format*. */
function resultFormats(body: Buffer, start: number, statement: string): readonly number[] {
  const end = body.length;
  let at = start + 2 + 2 * uint16(body, start, end);
  const parameters = uint16(body, at, end);
  at += 2;
  for (let i = 0; i < parameters; i++) at += 4 + Math.max(0, int32(body, at, end));
  if (parameters > 0) {
    throw new PgfigError(
      'PROTOCOL_VIOLATION_IN_QUERY',
      `bind message supplies ${parameters} parameters, but prepared statement "${shown(statement)}" requires 0`,
    );
  }
  const codes: number[] = [];
  const count = uint16(body, at, end);
  at += 2;
  for (let i = 0; i < count; i++, at += 2) codes.push(int16(body, at, end));
  if (at !== end) throw malformed('invalid message format');
  for (const code of codes) if (code !== 0 && code !== 1) throw malformed(`unsupported format code: ${code}`);
  return codes;
}
