import type { Config, DatabaseConfig } from '../../config/config.js';
import { show } from './show.js';

export const showConfig = show(
  'the configuration in effect, without what is secret; it is read at start',
  { key: 'text', value: 'text' },
  ({ config }) => configRows(config),
);

const SECRET = /password|token/i;
const DURATION = /(?:Timeout|Interval)$/;

/** Keys as in pgfig.yaml, in its order. */
export function configRows(config: Config): { readonly key: string; readonly value: string | null }[] {
  const { file, admin, databases, homes, control, kafka, ...rest } = config;
  const plain = {
    file,
    databases: Object.fromEntries([...databases].map(([name, database]) => [name, { url: urlOf(database) }])),
    homes: Object.fromEntries(homes),
    ...rest,
    admin: { ...admin, users: admin.users ?? 'everybody' },
    control: { url: urlOf(control) },
    kafka,
  };
  return [...flat('', plain)];
}

function* flat(path: string, value: unknown): Generator<{ key: string; value: string | null }> {
  const key = path.split('.').at(-1) ?? '';
  if (value === null || value === undefined) yield { key: path, value: null };
  else if (SECRET.test(key)) yield { key: path, value: '(hidden)' };
  else if (Array.isArray(value) && value.every((item) => typeof item !== 'object'))
    yield { key: path, value: value.map(String).join(', ') };
  else if (typeof value === 'object') {
    for (const [name, inner] of Object.entries(value)) yield* flat(path === '' ? name : `${path}.${name}`, inner);
  } else yield { key: path, value: DURATION.test(key) ? `${String(value)}ms` : String(value) };
}

/** Without the password. */
function urlOf(database: DatabaseConfig): string {
  const { host, port, dbname, user, sslmode } = database;
  const at = host.startsWith('/') ? `/${dbname}?host=${host}&port=${port}&` : `${bracketed(host)}:${port}/${dbname}?`;
  const who = user === null ? '' : `${user}@`;
  const files = (['sslrootcert', 'sslcert', 'sslkey'] as const).flatMap((name) =>
    database[name] === null ? [] : [`&${name}=${database[name]}`],
  );
  return `postgres://${who}${at}sslmode=${sslmode}${files.join('')}`;
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
