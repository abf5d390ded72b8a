import { FAILED } from './client-end.js';
import { askSetting } from './joining.js';
import type { SessionCore } from './session-core.js';

/** After something that may have changed what names mean: asks for search_path where it is not known any more. */
export async function settleContext(session: SessionCore): Promise<void> {
  const link = session.searchPath.takeAsk();
  if (link === null || link.link.lost || session.closed) return;
  if (link.link.status === FAILED || session.context.rules.databases.length < 2) {
    // In a failed transaction nothing can be asked; its end asks again.
    if (session.tx !== null) session.tx.searchPathChanged = true;
    return;
  }
  const value = await askSetting(session, link, 'search_path');
  if (session.searchPath.learn(value)) session.contextChanged();
}
