import { randomBytes, timingSafeEqual } from 'node:crypto';
import { PgfigError } from '../errors/pgfig-error.js';
import { hmac, type ScramKeys, type ScramVerifier, sha256, xor } from './scram-keys.js';
import { type ClientFirst, parseClientFinal, parseClientFirst } from './scram-messages.js';

/** What the server says of a user before anything is proven. */
export interface ScramChallenge {
  readonly salt: Buffer;
  readonly iterations: number;
}

/** The server's side of one SCRAM-SHA-256 exchange (RFC 5802 section 5). Pure but for its nonce. */
export class ScramServer {
  private readonly serverNonce: string;
  private first: ClientFirst | null = null;
  private serverFirst = '';

  /** @param nonce printable, without comma; 18 random bytes in base64 when not given */
  constructor(nonce = randomBytes(18).toString('base64')) {
    this.serverNonce = nonce;
  }

  /** Takes the client's first message and gives the server's. @throws PgfigError PROTOCOL_VIOLATION, UNSUPPORTED_PROTOCOL */
  challenge(clientFirst: string, { salt, iterations }: ScramChallenge): string {
    this.first = parseClientFirst(clientFirst);
    this.serverFirst = `r=${this.first.nonce}${this.serverNonce},s=${salt.toString('base64')},i=${iterations}`;
    return this.serverFirst;
  }

  /**
   * Takes the client's last message and a verifier; gives the server's last message and the ClientKey
   * that the proof shows, or null when it is not the right one.
   * @throws PgfigError PROTOCOL_VIOLATION
   */
  verify(clientFinal: string, verifier: ScramVerifier): { serverFinal: string; keys: ScramKeys } | null {
    if (this.first === null) throw new PgfigError('INTERNAL', 'SCRAM: verify came before challenge');
    const { binding, nonce, proof, withoutProof } = parseClientFinal(clientFinal);
    if (Buffer.from(this.first.gs2Header, 'latin1').toString('base64') !== binding) {
      throw new PgfigError('PROTOCOL_VIOLATION', 'unexpected SCRAM channel-binding attribute in client-final-message');
    }
    if (nonce !== this.first.nonce + this.serverNonce) {
      throw new PgfigError('PROTOCOL_VIOLATION', 'invalid SCRAM response', { detail: 'Nonce does not match.' });
    }
    const signed = Buffer.from(`${this.first.bare},${this.serverFirst},${withoutProof}`, 'latin1');
    const clientKey = xor(proof, hmac(verifier.storedKey, signed));
    if (!timingSafeEqual(sha256(clientKey), verifier.storedKey)) return null;
    const { salt, iterations, storedKey, serverKey } = verifier;
    return {
      serverFinal: `v=${hmac(serverKey, signed).toString('base64')}`,
      keys: { salt, iterations, storedKey, serverKey, clientKey },
    };
  }
}
