import type { ScramKeys } from './scram-keys.js';

/** What a login has shown of a user, kept in memory for the logins to backends, never logged. */
export interface Credentials {
  readonly user: string;
  readonly password: string | null;
  /** 'md5' and 32 hexadecimal digits: answers an MD5 challenge for this user's name. */
  readonly md5?: string | null;
  /** Answers a SCRAM challenge with the same salt and iterations. */
  readonly scram: ScramKeys | null;
}
