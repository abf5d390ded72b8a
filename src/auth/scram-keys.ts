/**
 * The arithmetic of SCRAM-SHA-256: RFC 5802 section 3, RFC 7677; passwords prepared by RFC 4013.
 */
import { createHash, createHmac, pbkdf2, pbkdf2Sync } from 'node:crypto';
import { promisify } from 'node:util';
import { saslprep } from '@mongodb-js/saslprep';
import { LRUCache } from 'lru-cache';

/** Bytes of a key, a hash and a proof. */
export const KEY_LENGTH = 32;
/** What Postgres takes for new verifiers. */
export const DEFAULT_ITERATIONS = 4096;

/** What a server keeps in place of a password: enough to check a client, not enough to be one. */
export interface ScramVerifier {
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** A verifier and the ClientKey that belongs to it: enough to log in wherever the same verifier is kept. */
export interface ScramKeys extends ScramVerifier {
  readonly clientKey: Buffer;
}

export const hmac = (key: Uint8Array, text: string | Uint8Array): Buffer =>
  createHmac('sha256', key).update(text).digest();

export const sha256 = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest();

/** Both must have the same length. */
export function xor(a: Uint8Array, b: Uint8Array): Buffer {
  const out = Buffer.alloc(a.length);
  for (let i = 0; i < a.length; i++) out[i] = (a[i] ?? 0) ^ (b[i] ?? 0);
  return out;
}

/**
 * Normalises a password as Postgres does: by SASLprep, and where that refuses it (or leaves nothing),
 * as it is. Plain ASCII is never changed.
 */
export function preparePassword(password: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant, as in pg_is_ascii()
  if (/^[\x00-\x7f]*$/.test(password)) return password;
  try {
    return saslprep(password) || password;
  } catch {
    return password;
  }
}

/** SaltedPassword costs about 1 ms for 4096 turns, and the same few come again with each connection. */
const derived = new LRUCache<string, ScramKeys>({ max: 1000 });
const pbkdf2Async = promisify(pbkdf2);

/** The password itself must not be the key: what is in the cache can then log in, but tells no password. */
const cacheKey = (password: string, salt: Uint8Array, iterations: number): string =>
  createHash('sha256').update(salt).update(`:${iterations}:`).update(password).digest('base64');

function keysOf(salted: Buffer, salt: Uint8Array, iterations: number): ScramKeys {
  const clientKey = hmac(salted, 'Client Key');
  return {
    salt: Buffer.from(salt),
    iterations,
    clientKey,
    storedKey: sha256(clientKey),
    serverKey: hmac(salted, 'Server Key'),
  };
}

/** All keys of a password, in this thread: for logins to backends, whose few passwords stay in the cache. */
export function deriveKeysSync(password: string, salt: Uint8Array, iterations: number): ScramKeys {
  const id = cacheKey(password, salt, iterations);
  const known = derived.get(id);
  if (known !== undefined) return known;
  const salted = pbkdf2Sync(preparePassword(password), salt, iterations, KEY_LENGTH, 'sha256');
  const keys = keysOf(salted, salt, iterations);
  derived.set(id, keys);
  return keys;
}

/** The same in a thread of the pool: for clients, any of whom may come with any password. */
export async function deriveKeys(password: string, salt: Uint8Array, iterations: number): Promise<ScramKeys> {
  const id = cacheKey(password, salt, iterations);
  const known = derived.get(id);
  if (known !== undefined) return known;
  const salted = await pbkdf2Async(preparePassword(password), salt, iterations, KEY_LENGTH, 'sha256');
  const keys = keysOf(salted, salt, iterations);
  derived.set(id, keys);
  return keys;
}

/** Base64 that is exactly that, or null: Buffer.from passes over what it does not know. */
export function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}
