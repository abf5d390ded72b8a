import { PgfigError } from '../../errors/pgfig-error.js';
import type { SessionCore } from '../session-core.js';

/** What a statement in a failed transaction is answered: the reason, if the client has not heard it yet. */
export function failureOf(session: SessionCore): PgfigError {
  const loss = session.tx?.untoldLoss ?? null;
  if (session.tx !== null) session.tx.untoldLoss = null;
  return loss ?? failedTransaction();
}

export const failedTransaction = (): PgfigError =>
  new PgfigError(
    'IN_FAILED_TRANSACTION',
    'current transaction is aborted, commands ignored until end of transaction block',
  );
