import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  DEFAULT_ITERATIONS,
  decodeBase64,
  deriveKeys,
  deriveKeysSync,
  KEY_LENGTH,
  type ScramVerifier,
  sha256,
} from './scram-keys.js';

/** What is known of a user's password, as pg_authid.rolpassword or a userlist has it. */
export type Verifier =
  | { readonly kind: 'plain'; readonly password: string }
  /** 'md5' and 32 hexadecimal digits. */
  | { readonly kind: 'md5'; readonly hash: string }
  | ({ readonly kind: 'scram' } & ScramVerifier);

/** More would hold up a thread for seconds; Postgres's default is 4096. */
const MAX_ITERATIONS = 10_000_000;

/**
 * Reads a secret as Postgres reads it (get_password_type): what is neither an md5 hash nor a SCRAM
 * verifier is a password. SCRAM: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, base64.
 */
export function parseVerifier(secret: string): Verifier {
  if (/^md5[0-9a-f]{32}$/.test(secret)) return { kind: 'md5', hash: secret };
  return parseScram(secret) ?? { kind: 'plain', password: secret };
}

function parseScram(secret: string): Verifier | null {
  const match = /^SCRAM-SHA-256\$(\d{1,8}):([^$:]+)\$([^$:]+):([^$:]+)$/.exec(secret);
  if (match === null) return null;
  const iterations = Number(match[1]);
  const [salt, storedKey, serverKey] = match.slice(2).map(decodeBase64);
  if (!salt || storedKey?.length !== KEY_LENGTH || serverKey?.length !== KEY_LENGTH) return null;
  if (iterations < 1 || iterations > MAX_ITERATIONS) return null;
  return { kind: 'scram', iterations, salt, storedKey, serverKey };
}

/** The inverse of parseVerifier. */
export function formatVerifier(verifier: Verifier): string {
  if (verifier.kind === 'plain') return verifier.password;
  if (verifier.kind === 'md5') return verifier.hash;
  const { iterations, salt, storedKey, serverKey } = verifier;
  const keys = `${storedKey.toString('base64')}:${serverKey.toString('base64')}`;
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${keys}`;
}

const md5 = (...parts: (string | Uint8Array)[]): string => {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

/** The md5 verifier of a password: it holds the user's name, and is as good as the password itself. */
export const md5Hash = (user: string, password: string): string => `md5${md5(password, user)}`;

/** The answer to an MD5 challenge. @param hash of md5Hash; @param salt 4 bytes of the challenge */
export const md5Answer = (hash: string, salt: Uint8Array): string => `md5${md5(hash.slice(3), salt)}`;

export const makeMd5 = (user: string, password: string): Verifier => ({ kind: 'md5', hash: md5Hash(user, password) });

/** A SCRAM verifier of a password, as `\password` of psql makes it. */
export function makeScram(
  password: string,
  salt: Uint8Array = randomBytes(16),
  iterations: number = DEFAULT_ITERATIONS,
): Verifier {
  const { clientKey: _, ...verifier } = deriveKeysSync(password, salt, iterations);
  return { kind: 'scram', ...verifier };
}

/** Compares texts in a time that depends on neither. */
export const sameText = (a: string, b: string): boolean => timingSafeEqual(sha256(a), sha256(b));

/** Whether a password is the user's. An empty one never is, as in Postgres. */
export async function checkPassword(verifier: Verifier, user: string, password: string): Promise<boolean> {
  if (password === '') return false;
  if (verifier.kind === 'plain') return sameText(verifier.password, password);
  if (verifier.kind === 'md5') return sameText(verifier.hash, md5Hash(user, password));
  const { serverKey } = await deriveKeys(password, verifier.salt, verifier.iterations);
  return timingSafeEqual(serverKey, verifier.serverKey);
}
