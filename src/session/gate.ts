import type { Verifier } from '../auth/verifier.js';
import type { AuthMethod } from '../config/config.js';
import type { ClientTls } from '../net/client-tls.js';
import type { Admitted, Handshake } from './handshake.js';

/** What a handshake needs of the worker that it takes place in. */
export interface Gate {
  readonly tls: ClientTls | null;
  readonly authMethod: AuthMethod;
  readonly authTimeout: number;
  /** Key of the salts that are made up for unknown users. */
  readonly authKey: Buffer;
  /** @throws PgfigError CANNOT_CONNECT_NOW */
  verifierOf(user: string): Promise<Verifier | null>;
  /** @throws PgfigError TOO_MANY_CLIENTS, TOO_MANY_CLIENTS_OF_USER, SHUTTING_DOWN */
  admit(user: string): void;
  /** Resolves when the request has been dealt with. */
  cancelAnywhere(pid: number, secret: Buffer): Promise<void>;
  authFailed(user: string | null, peer: string, reason: string): void;
  enter(admitted: Admitted): void;
  left(handshake: Handshake): void;
}
