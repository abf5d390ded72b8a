import type { Config } from '../../config/config.js';
import { PgfigError } from '../../errors/pgfig-error.js';

const TIMEOUT_MS = 10_000;

/** Where the admin API of this configuration answers, as 'http://host:port'; an address of all interfaces is asked on loopback. */
export function adminUrl({ admin: { host, port } }: Config): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

/**
 * Asks the admin API of a running pgfig; gives its JSON, also that of a refusal (422).
 *
 * @throws PgfigError ADMIN_UNREACHABLE where nobody answers, or somebody else; CONFIG_INVALID where the token is not
 *   the right one.
 */
export async function askAdmin(url: string, token: string | null, method: 'GET' | 'POST' = 'GET'): Promise<unknown> {
  const shown = new URL(url);
  const what = `the admin API at ${shown.host}`;
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (cause) {
    throw new PgfigError('ADMIN_UNREACHABLE', `${what} cannot be reached: ${reasonOf(cause)}`, { cause });
  }
  if (response.status === 401) {
    throw new PgfigError('CONFIG_INVALID', `${what} refuses the token`, {
      hint: 'Set admin.token in pgfig.yaml to that of the running pgfig.',
    });
  }
  const answer: unknown = await response.json().catch(() => null);
  if ((response.status === 200 || response.status === 422) && answer !== null) return answer;
  throw new PgfigError('ADMIN_UNREACHABLE', `${what} answers ${method} ${shown.pathname} with ${response.status}`, {
    hint: 'Is this the admin API of a pgfig of this version?',
  });
}

/** fetch hides why behind "fetch failed". */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  // An address that was tried as IPv4 and IPv6 has an empty message of its own.
  return cause.message !== '' || !('code' in cause) ? cause.message : String(cause.code);
}
