import type { Credentials } from '../../auth/credentials.js';
import type { SessionInfo } from '../traffic-events.js';

/** What is known of a session when it begins. */
export interface SessionStart {
  readonly info: SessionInfo;
  readonly credentials: Credentials;
  /** The client's startup parameters besides user and database. */
  readonly params: ReadonlyMap<string, string>;
  readonly secret: Buffer;
}
