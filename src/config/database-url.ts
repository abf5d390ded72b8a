import type { DatabaseConfig, SslMode } from './config.js';

const SSL_MODES: readonly SslMode[] = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];
const PARAMETERS = [
  'host',
  'port',
  'user',
  'password',
  'dbname',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'connect_timeout',
] as const;
type Parameter = (typeof PARAMETERS)[number];
const DEFAULT_PORT = 5432;
const DEFAULT_CONNECT_TIMEOUT = 5_000;

/**
 * Reads a `postgres://` or `postgresql://` url (PostgreSQL documentation, 34.1.1.2): everything that libpq lets
 * stand in it and that pgfig knows, as parts of the url or as parameters. `resolve` makes file names absolute.
 * Every fault goes to `complain`, in words that hold nothing of the url but names of parameters.
 *
 * @returns null where something is wrong.
 */
export function parseDatabaseUrl(
  name: string,
  text: string,
  resolve: (file: string) => string,
  complain: (what: string) => void,
): DatabaseConfig | null {
  let good = true;
  const fault = (what: string): void => {
    good = false;
    complain(what);
  };
  const parts = splitUrl(text, fault);
  if (parts === null) return null;

  const port = wholeNumber(parts.get('port'), 1, 65_535);
  if (port === undefined) fault('the port in the url is not a number from 1 to 65535. Write for example :5432');
  const sslmode = SSL_MODES.find((mode) => mode === (parts.get('sslmode') ?? 'prefer'));
  if (sslmode === undefined) fault(`the sslmode in the url is not known. Use one of ${SSL_MODES.join(', ')}`);
  const seconds = wholeNumber(parts.get('connect_timeout'), 0, 3600);
  if (seconds === undefined) fault('connect_timeout in the url is not a whole number of seconds. Write for example 5');
  const dbname = parts.get('dbname');
  if (dbname === undefined) fault('the url names no database. Add its name at the end: postgres://host:5432/NAME');
  if (parts.has('password') && !parts.has('user')) {
    fault('the url has a password but no user. Add the user, or leave out the password');
  }
  if (parts.has('sslcert') !== parts.has('sslkey')) {
    fault('the url has only one of sslcert and sslkey. A client certificate needs both');
  }
  if (!good || dbname === undefined || sslmode === undefined) return null;
  const file = (parameter: Parameter): string | null => {
    const value = parts.get(parameter);
    return value === undefined || value === 'system' ? null : resolve(value);
  };
  return {
    name,
    host: parts.get('host') ?? '127.0.0.1',
    port: port ?? DEFAULT_PORT,
    dbname,
    user: parts.get('user') ?? null,
    password: parts.get('password') ?? null,
    sslmode,
    sslrootcert: file('sslrootcert'),
    sslcert: file('sslcert'),
    sslkey: file('sslkey'),
    // As in libpq, 0 means no limit of one's own; a session must not hang, so the default stays.
    connectTimeout: seconds ? seconds * 1000 : DEFAULT_CONNECT_TIMEOUT,
  };
}

function splitUrl(text: string, fault: (what: string) => void): Map<Parameter, string> | null {
  if (!/^postgres(ql)?:\/\//.test(text)) {
    fault('the url does not begin with postgres:// or postgresql://. Write postgres://user@host:5432/dbname');
    return null;
  }
  let url: URL;
  try {
    url = new URL(text);
    const parts = new Map<Parameter, string>();
    const put = (parameter: Parameter, value: string): void => {
      if (value !== '') parts.set(parameter, decodeURIComponent(value));
    };
    put('host', url.hostname.replace(/^\[(.*)\]$/, '$1'));
    put('port', url.port);
    put('user', url.username);
    put('password', url.password);
    put('dbname', url.pathname.slice(1));
    for (const [key, value] of url.searchParams) {
      const parameter = PARAMETERS.find((known) => known === key);
      if (parameter === undefined) {
        fault(`the url has an unknown parameter ${JSON.stringify(key)}. Known ones: ${PARAMETERS.join(', ')}`);
      } else if (value !== '') parts.set(parameter, value);
    }
    return parts;
  } catch {
    fault(
      'the url cannot be read. Write postgres://user:password@host:5432/dbname, one host, with special characters as %XX',
    );
    return null;
  }
}

/** null where there is none, undefined where it is not a number within the limits. */
function wholeNumber(text: string | undefined, min: number, max: number): number | null | undefined {
  if (text === undefined) return null;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}
