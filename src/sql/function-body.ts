import { constantText } from './constant-text.js';
import type { Parser, PlpgsqlParser } from './grammar.js';
import { plainer, withRecord } from './plpgsql-repair.js';
import { type BodyQuery, hasBody, queriesOf } from './plpgsql-tree.js';
import type { Body, ParsedText, SessionEffect, Statement, TableName } from './statement.js';
import { TouchesSum } from './touches.js';

/** What a body touches, and what running it does to the session besides its settings. */
export interface BodyFacts {
  readonly body: Body;
  readonly effects: readonly SessionEffect[];
  /** See Statement.schemas. */
  readonly schemas: readonly string[];
}

const DYNAMIC = 'dynamic SQL (EXECUTE)';
/** Declarations whose types are not known are made records one by one; a body with more of them is not read. */
const REPAIRS = 12;
/** SQL-standard bodies, as pg_get_function_sqlbody gives them: a block of statements, or one expression. */
const ATOMIC = /^\s*BEGIN\s+ATOMIC\b(.*)\bEND\s*;?\s*$/is;
const RETURN = /^\s*RETURN\b/i;
/** An expression of names, constants and operators: no call, no query, no cast that looks something up. */
const PLAIN = /^(?!.*\b(?:from|select|table|values|regclass)\b)[^()]*$/is;

/**
 * What the body of a LANGUAGE sql function touches. `text`: its statements (`prosrc`), or an SQL-standard body
 * (`BEGIN ATOMIC ...`, `RETURN ...`). Never throws: what does not parse is opaque.
 */
export function readSqlBody(parser: Parser, text: string): Body {
  const facts = read(parser, (reading) => {
    const statements = ATOMIC.exec(text)?.[1] ?? text.replace(RETURN, 'SELECT ');
    reading.statements(parser.parse(statements));
  });
  return bodyOf(facts);
}

/**
 * What a PL/pgSQL body touches. `definition`: the whole CREATE FUNCTION or CREATE PROCEDURE (as pg_get_functiondef
 * gives it), or a DO statement. Never throws: what does not parse is opaque.
 *
 * Names of variables are taken for columns, which say nothing of tables. The statements count alike whether or not
 * they are reached.
 */
export function readPlpgsqlBody(parser: PlpgsqlParser, definition: string): Body {
  return bodyOf(readPlpgsqlFacts(parser, definition));
}

/** The same with what a DO block does to its session. */
export function readPlpgsqlFacts(parser: PlpgsqlParser, definition: string): BodyFacts {
  return read(parser, (reading) => {
    const answer = parseRepaired(parser, definition);
    if ('syntaxError' in answer) {
      reading.refuse(answer.syntaxError);
      return;
    }
    const functions = answer.functions.filter(hasBody);
    if (functions.length === 0) reading.opaque('a body that is not PL/pgSQL');
    for (const found of functions) reading.queries(queriesOf(found));
  });
}

function read(parser: Parser, fill: (reading: BodyReading) => void): BodyFacts {
  const reading = new BodyReading(parser);
  try {
    fill(reading);
  } catch (error) {
    // A text of megabytes that exhausts a regular expression.
    reading.refuse(error instanceof Error ? error.message : String(error));
  }
  return reading.finish();
}

/** A body has no word for all that a schema holds, so it cannot be seen through. */
function bodyOf({ body, schemas }: BodyFacts): Body {
  const [schema] = schemas;
  return schema === undefined || body.opaque !== null
    ? body
    : Object.freeze({ ...body, opaque: `DDL on all of schema ${schema}` });
}

/** The parser, which knows no catalog, refuses more than Postgres does: see plpgsql-repair.ts. */
function parseRepaired(parser: PlpgsqlParser, definition: string): ReturnType<PlpgsqlParser['parsePlpgsql']> {
  const first = parser.parsePlpgsql(definition);
  if (!('syntaxError' in first)) return first;
  let text: string | null = plainer(definition);
  let answer = text === definition ? first : parser.parsePlpgsql(text);
  for (let tries = 0; tries < REPAIRS && 'syntaxError' in answer; tries += 1) {
    text = withRecord(text, answer.syntaxError);
    if (text === null) break;
    answer = parser.parsePlpgsql(text);
  }
  return 'syntaxError' in answer ? first : answer;
}

/** One body while it is read. */
class BodyReading {
  readonly #parser: Parser;
  readonly #sum = new TouchesSum();
  readonly #sets = new Set<string>();
  readonly #effects: SessionEffect[] = [];
  readonly #schemas = new Set<string>();
  /** Temporary tables that the body itself has made so far: they are no tables of any database. */
  readonly #temporary = new Set<string>();

  constructor(parser: Parser) {
    this.#parser = parser;
  }

  finish(): BodyFacts {
    const touches = this.#sum.finish();
    if (touches.opaque !== null) this.#sets.add('*');
    const body = Object.freeze({ ...touches, sets: Object.freeze([...this.#sets]) });
    return { body, effects: this.#effects, schemas: [...this.#schemas] };
  }

  opaque(reason: string): void {
    this.#sum.opaque ??= reason;
  }

  refuse(message: string): void {
    this.opaque(`does not parse: ${message}`);
  }

  /** In one go: they are many and short, and PL/pgSQL's parser has accepted each. */
  queries(queries: readonly BodyQuery[]): void {
    const texts: string[] = [];
    for (const query of queries) texts.push(...this.#textsOf(query));
    if (texts.length === 0) return;
    // A comment may end a text: the line's end ends it.
    const all = this.#parser.parse(texts.join('\n;'));
    if (all.syntaxError === null) this.statements(all);
    else for (const text of texts) this.statements(this.#parser.parse(text));
  }

  #textsOf({ text, mode }: BodyQuery): readonly string[] {
    if (mode === 'statement') return [text];
    if (mode === 'dynamic') {
      const constant = constantText(text);
      if (constant !== null) return [constant];
      this.opaque(DYNAMIC);
    }
    if (PLAIN.test(text)) return [];
    return mode === 'assignment' ? assignment(text) : [`SELECT ${text}`];
  }

  statements(parsed: ParsedText): void {
    if (parsed.syntaxError !== null) this.refuse(parsed.syntaxError);
    else for (const statement of parsed.statements) this.#statement(statement);
  }

  /** What it names is looked up before what it makes is there. */
  #statement(statement: Statement): void {
    this.#sum.add(statement, (table) => !this.#isTemporary(table));
    for (const schema of statement.schemas ?? []) this.#schemas.add(schema);
    for (const effect of statement.effects) this.#effect(effect);
  }

  #isTemporary(table: TableName): boolean {
    return table.schema === 'pg_temp' || (table.schema === undefined && this.#temporary.has(table.name));
  }

  #effect(effect: SessionEffect): void {
    switch (effect.type) {
      case 'set':
        this.#sets.add(effect.name);
        return;
      case 'set-unknown':
      case 'reset-all':
        this.#sets.add('*');
        return;
      case 'set-transaction':
        if (effect.session) this.#sets.add('*');
        return;
      case 'execute':
        this.opaque(`EXECUTE of the prepared statement ${effect.name}`);
        return;
      case 'create-temp':
        this.#temporary.add(effect.table);
        this.#sets.add('pg_temp');
        break;
      case 'drop-table':
        if (effect.table.schema === undefined) this.#temporary.delete(effect.table.name);
        break;
    }
    if (STAYS.has(effect.type)) this.#effects.push(effect);
  }
}

/** What of a body's effects is the session's when it is over: its cursors and transactions are PL/pgSQL's own. */
const STAYS = new Set<SessionEffect['type']>([
  'sequence',
  'advisory-lock',
  'large-object',
  'notify',
  'listen',
  'unlisten',
  'create-temp',
  'create-relation',
  'drop-table',
  'prepare',
  'deallocate',
]);

/** `target := value` and `target = value`: the target may have subscripts, which are expressions. */
function assignment(text: string): readonly string[] {
  const target = TARGET.exec(text)?.[0] ?? '';
  const at = text.indexOf('=', target.length);
  if (target === '' || at < 0) return [`SELECT ${text}`];
  const value = `SELECT ${text.slice(at + 1)}`;
  return PLAIN.test(target) ? [value] : [`SELECT ${target}`, value];
}

/** Up to the sign of assignment; brackets hold quoted text and, at most, one more pair of brackets. */
const TARGET = /^(?:"(?:[^"]|"")*"|\[(?:'(?:[^']|'')*'|\[[^[\]]*\]|[^'[\]])*\]|[^":=[\]])+/;
