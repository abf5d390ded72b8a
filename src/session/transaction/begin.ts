import type { SessionEffect } from '../../sql/statement.js';
import { IN_TRANSACTION } from '../client/client-end.js';
import type { SessionCore } from '../session-core.js';
import { Transaction } from './transaction.js';

/** BEGIN is answered at once; each database gets it with its first statement. */
export function beginHere(session: SessionCore, effect: Extract<SessionEffect, { type: 'begin' }>): void {
  const tx = new Transaction(effect.modes, effect.isolation, session.facts.ownRelations);
  session.tx = tx;
  session.txStamp = tx.stamp;
  session.status = IN_TRANSACTION;
  session.mirrors?.follow(tx);
  session.isolationChanged();
}
