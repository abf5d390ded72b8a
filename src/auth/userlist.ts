import { PgfigError } from '../errors/pgfig-error.js';
import { parseVerifier, type Verifier } from './verifier.js';

/**
 * Reads a userlist in PgBouncer's format: a line for each user, `"name" "secret"`, where `""` stands for
 * a quote within. The secret is a password, an md5 hash or a SCRAM verifier. Lines that are empty or
 * begin with `;` say nothing, nor does what follows the secret; of two lines for one user the last counts.
 * Source: PgBouncer's documentation, "Authentication file format".
 * @param file its name, for errors
 * @throws PgfigError CONFIG_INVALID with file and line; never with what stands in the line
 */
export function parseUserlist(text: string, file: string): Map<string, Verifier> {
  const users = new Map<string, Verifier>();
  text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .forEach((line, i) => {
      if (/^\s*(;|$)/.test(line)) return;
      const entry = parseLine(line);
      if (typeof entry === 'string') throw new PgfigError('CONFIG_INVALID', `${file}:${i + 1}: ${entry}`);
      users.set(entry.user, parseVerifier(entry.secret));
    });
  return users;
}

function parseLine(line: string): { user: string; secret: string } | string {
  const match = /^\s*"((?:[^"]|"")*)"\s+"((?:[^"]|"")*)"(?:\s|;|$)/.exec(line);
  if (match === null) return complaint(line);
  const [user = '', secret = ''] = match.slice(1).map((quoted) => quoted.replaceAll('""', '"'));
  return user === '' ? 'the user has no name' : { user, secret };
}

function complaint(line: string): string {
  if (!/^\s*"/.test(line)) return 'a line must begin with a user in double quotes, or with ; for a comment';
  if ((line.split('"').length - 1) % 2 === 1) return 'a double quote is not closed; within quotes it is written twice';
  return 'after the user must come a secret in double quotes';
}
