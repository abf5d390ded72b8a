import type { Credentials } from '../../auth/credentials.js';
import type { Verifier } from '../../auth/verifier.js';
import type { AuthMethod } from '../../config/config.js';
import type { Channel } from '../../net/channel.js';
import type { ClientTls } from '../../net/client-tls.js';

/** A client that has proven who it is, and what it asked for. */
export interface Admitted {
  readonly channel: Channel;
  readonly peer: string;
  readonly user: string;
  readonly database: string;
  readonly minor: number;
  /** Startup parameters besides user and database. */
  readonly params: ReadonlyMap<string, string>;
  readonly credentials: Credentials;
  readonly tls: boolean;
  /** What the client has sent beyond its login. */
  readonly rest: Buffer;
}

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
  admit(user: string, database: string): void;
  /** Resolves when the request has been dealt with. */
  cancelAnywhere(pid: number, secret: Buffer): Promise<void>;
  authFailed(user: string | null, peer: string, reason: string): void;
  enter(admitted: Admitted): void;
  /** The attempt is over, with or without a session. */
  left(handshake: object): void;
}
