import type pg from 'pg';
import { PgfigError } from '../../errors/pgfig-error.js';

/**
 * Ends the transaction, and makes sure that it has been committed: the COMMIT of a transaction in which a statement has
 * failed answers ROLLBACK, and no error.
 * @throws PgfigError RELAY_ROLLED_BACK; what the driver throws
 */
export async function committed(client: pg.ClientBase): Promise<void> {
  const { command } = await client.query('COMMIT');
  if (command !== 'COMMIT') throw new PgfigError('RELAY_ROLLED_BACK', 'a transaction of the relay was rolled back');
}
