import { randomBytes, timingSafeEqual } from 'node:crypto';
import { PgfigError } from '../errors/pgfig-error.js';
import { deriveKeysSync, hmac, type ScramKeys, xor } from './scram-keys.js';
import { parseServerFinal, parseServerFirst, type ServerFirst } from './scram-messages.js';

/** A server that asks for more would hold up this thread for seconds. */
const MAX_ITERATIONS = 1_000_000;

const failed = (message: string, hint?: string): PgfigError =>
  new PgfigError('BACKEND_LOGIN_FAILED', message, hint === undefined ? {} : { hint });

/** What a login to a backend can be made with; a password comes before keys. */
export interface ScramSource {
  readonly password: string | null;
  readonly scram: ScramKeys | null;
}

/** The client's side of one SCRAM-SHA-256 exchange (RFC 5802 section 5), without channel binding. */
export class ScramClient {
  private readonly user: string;
  private readonly source: ScramSource;
  private readonly bare: string;
  private readonly nonce: string;
  private serverSignature: Buffer | null = null;

  constructor(user: string, source: ScramSource, nonce = randomBytes(18).toString('base64')) {
    this.user = user;
    this.source = source;
    this.nonce = nonce;
    // The name is left empty, as libpq does: the startup packet has it.
    this.bare = `n=,r=${nonce}`;
  }

  /** client-first-message */
  initial(): string {
    return `n,,${this.bare}`;
  }

  /** Takes server-first-message, gives client-final-message. @throws PgfigError BACKEND_LOGIN_FAILED */
  answer(serverFirst: string): string {
    const server = parseServerFirst(serverFirst);
    if (server === null) throw failed('the backend sent a malformed SCRAM challenge');
    if (!server.nonce.startsWith(this.nonce) || server.nonce.length === this.nonce.length) {
      throw failed('the backend sent a SCRAM challenge that is not for this login');
    }
    const keys = this.keysFor(server);
    const withoutProof = `c=biws,r=${server.nonce}`;
    const signed = Buffer.from(`${this.bare},${serverFirst},${withoutProof}`, 'latin1');
    this.serverSignature = hmac(keys.serverKey, signed);
    const proof = xor(keys.clientKey, hmac(keys.storedKey, signed));
    return `${withoutProof},p=${proof.toString('base64')}`;
  }

  private keysFor({ salt, iterations }: ServerFirst): ScramKeys {
    const { password, scram } = this.source;
    if (password !== null) {
      if (iterations > MAX_ITERATIONS) {
        throw failed(`the backend asks for ${iterations} SCRAM iterations; pgfig makes at most ${MAX_ITERATIONS}`);
      }
      return deriveKeysSync(password, salt, iterations);
    }
    if (scram !== null && scram.iterations === iterations && scram.salt.equals(salt)) return scram;
    throw failed(
      `the backend's SCRAM verifier of user "${this.user}" is not the one that pgfig knows`,
      `Give user "${this.user}" the same verifier (pg_authid.rolpassword) in every database and in pgfig's userlist or auth_query, or put user and password into the database's url.`,
    );
  }

  /** Takes server-final-message: the server must prove that it knows the verifier. @throws PgfigError BACKEND_LOGIN_FAILED */
  verify(serverFinal: string): void {
    const final = parseServerFinal(serverFinal);
    if (final === null) throw failed('the backend sent a malformed end of the SCRAM exchange');
    if ('error' in final) throw failed(`the backend ended the SCRAM exchange: ${final.error}`);
    if (this.serverSignature === null || !timingSafeEqual(final.signature, this.serverSignature)) {
      throw failed(`the backend could not prove that it knows user "${this.user}"`);
    }
  }
}
