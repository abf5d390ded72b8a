import { FAILED } from './client-end.js';
import { askSetting } from './joining.js';
import type { SessionCore } from './session-core.js';
import { quoteLiteral } from './transaction.js';

/** After something that may have changed what names mean: asks for search_path where it is not known any more. */
export async function settleContext(session: SessionCore): Promise<void> {
  await journalSettings(session);
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

/** What a function has set within the transaction goes to later joiners by value. */
async function journalSettings(session: SessionCore): Promise<void> {
  const asked = session.settingsToAsk;
  if (asked.length === 0) return;
  session.settingsToAsk = [];
  for (const { target, name, local } of asked) {
    const { tx } = session;
    if (tx === null || target.link.lost || target.link.status === FAILED) return;
    if (session.context.rules.databases.length < 2) return;
    const value = await askSetting(session, target, name);
    const sql = `SELECT pg_catalog.set_config(${quoteLiteral(name)}, ${quoteLiteral(value)}, ${local})`;
    tx.record({ type: 'statement', name: '', sql }, target);
  }
}
