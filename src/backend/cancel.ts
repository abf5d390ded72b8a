import type { DatabaseConfig } from '../config/config.js';
import { Channel } from '../net/channel.js';
import { encodeCancelRequest } from '../wire/startup.js';
import type { BackendIdentity } from './link.js';

const CANCEL_TIMEOUT = 10_000;

/**
 * Asks a backend to cancel what it runs (PostgreSQL documentation, 55.2.8). Resolves when the server has closed the
 * connection: only then is it sure that the cancel hits nothing that is sent later. Never rejects: like libpq, a
 * cancel that cannot be delivered is dropped.
 */
export function cancelBackend(database: DatabaseConfig, identity: BackendIdentity): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      channel.destroy();
      resolve();
    };
    const timer = setTimeout(finish, CANCEL_TIMEOUT);
    // In clear: the server takes it so even where hostssl is demanded, and libpq did so until version 17.
    const channel = Channel.connect(
      database.host,
      database.port,
      { onData: () => undefined, onDrain: () => undefined, onClosed: finish },
      () => channel.writeOwned(encodeCancelRequest(identity.pid, identity.secret)),
    );
  });
}
