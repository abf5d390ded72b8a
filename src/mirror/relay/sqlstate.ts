import pg from 'pg';

/** SQLSTATE of an error of a server, also where it is the cause of one of ours; '' for any other error. */
export function sqlstateOf(error: unknown): string {
  if (error instanceof pg.DatabaseError) return error.code ?? '';
  return error instanceof Error && error.cause !== undefined ? sqlstateOf(error.cause) : '';
}

/**
 * What a server says of the rows or the definition of a table, as against the state of the server or the connection:
 * it would say the same again. Classes of SQLSTATE: 0A unsupported, 21 cardinality, 22 data, 23 constraint, 2F and 38
 * functions, 3F schemas that are gone, 42 names and privileges, 44 check option, P0 raised by PL/pgSQL, PF of pgfig's own triggers.
 */
export const isOfTable = (sqlstate: string): boolean => /^(0A|21|22|23|2F|38|3F|42|44|P0|PF002)/.test(sqlstate);

/** A unique or exclusion constraint. */
export const isConflict = (sqlstate: string): boolean => sqlstate === '23505' || sqlstate === '23P01';

/** take_turn: another relay has the domain, or has moved the position. */
export const isLost = (sqlstate: string): boolean => sqlstate === 'PF001';
