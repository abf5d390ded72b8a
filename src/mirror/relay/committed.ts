import type pg from 'pg';
import { PgfigError } from '../../errors/pgfig-error.js';

/**
 * Ends the transaction, behind the last statements, and makes sure that it has been committed: the COMMIT of a
 * transaction in which a statement has failed answers ROLLBACK, and no error.
 * @throws PgfigError RELAY_ROLLED_BACK; what the driver throws
 */
export async function committed(client: pg.ClientBase, statements: readonly string[] = []): Promise<void> {
  const answer: unknown = await client.query([...statements, 'COMMIT'].join(';\n'));
  const last = (Array.isArray(answer) ? answer.at(-1) : answer) as pg.QueryResult;
  if (last.command !== 'COMMIT') {
    throw new PgfigError('RELAY_ROLLED_BACK', 'a transaction of the relay was rolled back');
  }
}
