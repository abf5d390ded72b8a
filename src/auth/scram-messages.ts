/**
 * The four texts of a SCRAM exchange, as the server reads the client's and the client the server's.
 * Source: RFC 5802 section 7; texts of errors are Postgres's (auth-scram.c).
 * Texts are latin1 strings: one character, one byte, so that what is signed is what was sent.
 */
import { PgfigError } from '../errors/pgfig-error.js';
import { decodeBase64, KEY_LENGTH } from './scram-keys.js';

export const MECHANISM = 'SCRAM-SHA-256';

export const malformedScram = (detail: string): PgfigError =>
  new PgfigError('PROTOCOL_VIOLATION', 'malformed SCRAM message', { detail });

export interface ClientFirst {
  /** What comes before the bare message, to be repeated in base64 by the client's final message. */
  readonly gs2Header: string;
  readonly bare: string;
  readonly nonce: string;
}

/**
 * client-first-message: gs2-cbind-flag "," [authzid] "," ["m=" ... ","] "n=" user "," "r=" nonce ["," ...].
 * The user's name is not looked at: the startup packet has it.
 */
export function parseClientFirst(text: string): ClientFirst {
  if (text.startsWith('p=')) {
    // With n or y the client is content without binding; p asks for a mechanism that was not offered.
    throw new PgfigError(
      'PROTOCOL_VIOLATION',
      'the client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data',
    );
  }
  if (text[0] !== 'n' && text[0] !== 'y') throw malformedScram('Unexpected channel-binding flag.');
  if (text[1] !== ',') throw malformedScram('Comma expected after the channel-binding flag.');
  if (text[2] === 'a') {
    throw new PgfigError('UNSUPPORTED_PROTOCOL', 'client uses authorization identity, but it is not supported');
  }
  if (text[2] !== ',') throw malformedScram('Unexpected attribute in client-first-message.');
  const bare = text.slice(3);
  if (bare.startsWith('m=')) {
    throw new PgfigError('UNSUPPORTED_PROTOCOL', 'client requires an unsupported SCRAM extension');
  }
  const match = /^n=[^,]*,r=([^,]*)(?:,[a-zA-Z]=[^,]*)*$/.exec(bare);
  const nonce = match?.[1];
  if (!nonce) throw malformedScram('User name and nonce expected in client-first-message.');
  if (!/^[\x21-\x7e]+$/.test(nonce)) {
    throw new PgfigError('PROTOCOL_VIOLATION', 'non-printable characters in SCRAM nonce');
  }
  return { gs2Header: text.slice(0, 3), bare, nonce };
}

export interface ClientFinal {
  readonly binding: string;
  readonly nonce: string;
  readonly proof: Buffer;
  readonly withoutProof: string;
}

/** client-final-message: "c=" base64(gs2 header) "," "r=" nonce ["," ...] "," "p=" base64(proof). */
export function parseClientFinal(text: string): ClientFinal {
  const match = /^(c=([^,]*),r=([^,]*)(?:,[a-zA-Z]=[^,]*)*?),p=([^,]*)$/.exec(text);
  if (match === null) throw malformedScram('Channel binding, nonce and proof expected in client-final-message.');
  const [, withoutProof = '', binding = '', nonce = '', encoded = ''] = match;
  const proof = decodeBase64(encoded);
  if (proof?.length !== KEY_LENGTH) throw malformedScram('Malformed proof in client-final-message.');
  return { binding, nonce, proof, withoutProof };
}

export interface ServerFirst {
  readonly nonce: string;
  readonly salt: Buffer;
  readonly iterations: number;
}

/** server-first-message: "r=" nonce "," "s=" base64(salt) "," "i=" iterations ["," ...]; null: malformed. */
export function parseServerFirst(text: string): ServerFirst | null {
  const match = /^r=([\x21-\x2b\x2d-\x7e]+),s=([^,]+),i=([1-9]\d{0,9})(?:,|$)/.exec(text);
  const salt = decodeBase64(match?.[2] ?? '');
  if (match === null || salt === null) return null;
  return { nonce: match[1] ?? '', salt, iterations: Number(match[3]) };
}

/** server-final-message: "e=" error, or "v=" base64(ServerSignature) ["," ...]; null: malformed. */
export function parseServerFinal(text: string): { error: string } | { signature: Buffer } | null {
  const match = /^([ev])=([^,]+)(?:,|$)/.exec(text);
  if (match === null) return null;
  if (match[1] === 'e') return { error: match[2] ?? '' };
  const signature = decodeBase64(match[2] ?? '');
  return signature?.length === KEY_LENGTH ? { signature } : null;
}
