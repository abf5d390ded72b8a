import type { PlpgsqlAnswer } from './parser-instance.js';
import type { ParsedText } from './statement.js';

/** Reads SQL as PostgreSQL's grammar does. */
export interface Parser {
  /**
   * The statements of a query string. Never throws for SQL: what does not parse, or cannot be parsed now, is
   * one statement of kind 'unparsable'.
   */
  parse(text: string): ParsedText;
}

/** Reads PL/pgSQL too, by PL/pgSQL's own parser. */
export interface PlpgsqlParser extends Parser {
  /**
   * The bodies in a text of CREATE FUNCTION, CREATE PROCEDURE or DO statements, as libpg_query's JSON of PL/pgSQL's
   * structs (plpgsql.h). Never throws; what cannot be parsed now is a syntax error too.
   */
  parsePlpgsql(definition: string): PlpgsqlAnswer;
}
