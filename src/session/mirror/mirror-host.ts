import { cancelBackend } from '../../backend/cancel.js';
import { dial } from '../../backend/dial.js';
import { linkParams } from '../login/opening.js';
import type { SessionCore } from '../session-core.js';
import { SessionLink } from '../session-link.js';
import { copySettings, replayJournal } from '../transaction/joining.js';
import type { MirrorHost } from './statement-mirror.js';

/** What a session does for its mirrors. */
export function mirrorHost(session: SessionCore): MirrorHost {
  const { traffic } = session;
  return {
    gate: traffic.mirrorGate,
    dial: (database, owner, signal) =>
      dial({
        database: traffic.database(database),
        credentials: session.start.credentials,
        params: linkParams(session),
        owner,
        signal,
      }),
    cancel: ({ database, link }) => void cancelBackend(traffic.database(database), link.identity),
    asSessionLink: (link) => new SessionLink(link, traffic.counters.backend(link.database)),
    copySettings: async (target) => {
      if (target.settingsVersion !== session.settings.version) await copySettings(session, target);
    },
    catchUp: (target) => {
      const { tx } = session;
      if (tx === null || target.txStamp === tx.stamp) return;
      tx.follow(target);
      replayJournal(session, tx, target);
    },
    until: (isSo) => session.waiters.until(isSo),
    wake: () => session.waiters.check(),
    drained: () => session.resumeClient(),
  };
}
