import { createHash, timingSafeEqual } from 'node:crypto';

/** Hashes make the two equally long, so that neither length nor content shows in the time taken. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Whether the Authorization header carries the token (RFC 6750, section 2.1); true when no token is set. */
export function bearerMatches(token: string | null, authorization: string | undefined): boolean {
  if (token === null) return true;
  const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}
