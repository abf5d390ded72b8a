import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Config } from '../../config/config.js';

/**
 * The key from which made-up SCRAM salts for unknown users are derived (RFC 5802; PostgreSQL's
 * mock authentication nonce). All workers share it, for a name that gets another salt from each worker
 * would give itself away. For the same reason it should outlive restarts: it is taken from the userlist
 * where there is one, a text that no client knows, and made at random otherwise.
 */
export async function mockAuthKey(config: Config): Promise<Buffer> {
  if (config.auth.users === null) return randomBytes(32);
  const text = await readFile(config.auth.users).catch(() => Buffer.alloc(0));
  if (text.length === 0) return randomBytes(32);
  return createHash('sha256').update('pgfig mock authentication\0').update(text).digest();
}
