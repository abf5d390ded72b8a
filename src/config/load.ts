import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import { PgfigError } from '../errors/pgfig-error.js';
import type { AuthConfig, Config, DatabaseConfig, ListenConfig } from './config.js';
import { parseDatabaseUrl } from './database-url.js';
import { expandEnv } from './env.js';
import { isLoopback } from './loopback.js';
import { Problems } from './problems.js';
import { readPublishing } from './publishing.js';
import { configShape } from './schema.js';
import { readSections, type Sections } from './sections.js';
import { readServiceRules } from './service-rules.js';
import { pemFaults } from './tls-files.js';
import { isRecord, YamlFile } from './yaml-file.js';

type Parts = Sections<typeof configShape>;

/**
 * Reads and validates `pgfig.yaml`. Relative paths in it are resolved against its folder; defaults are those of
 * docs/configuration.md. Rules are not read here (rules/load).
 *
 * @throws PgfigError FILE_UNREADABLE; CONFIG_INVALID with every fault of the file, one per line, as
 *   `file:line:column: what. What to do.` No value of the file that may be secret is repeated.
 */
export function loadConfig(file: string, env: NodeJS.ProcessEnv = process.env): Config {
  const problems = new Problems();
  const yaml = new YamlFile(file, readText(file), problems);
  problems.throwIfAny('CONFIG_INVALID');
  const failed = new Set<string>();
  const value = expandEnv(yaml.value ?? {}, env, yaml, failed);
  const parts = readSections(configShape, value, yaml, failed);
  // Also of databases with a fault elsewhere: references to them are good, and their urls are looked at too.
  const given = isRecord(value) && isRecord(value.databases) ? value.databases : {};
  const names = Object.keys(given);

  const absolute = (path: string): string => resolve(dirname(file), path);
  const databases = readDatabases(given, failed, yaml, absolute);
  const defaultName = chooseDefault(parts, names, yaml);
  for (const [service, database] of Object.entries(parts.homes ?? {})) {
    if (!names.includes(database)) yaml.complain(['homes', service], unknownDatabase(`homes.${service}`, names));
  }
  const listen = readListen(parts, yaml, absolute);
  const authGiven = isRecord(value) && value.auth !== undefined;
  const auth = parts.auth === undefined && authGiven ? null : readAuth(parts, listen, yaml, absolute);
  const admin = parts.admin;
  if (admin !== undefined && !isLoopback(admin.host) && admin.token === undefined && !failed.has('admin.token')) {
    yaml.complain(
      ['admin', 'host'],
      'the admin endpoint would be open to the network. Set admin.token, or listen on 127.0.0.1',
    );
  }
  if (admin !== undefined && listen !== null && admin.port !== 0 && admin.port === listen.port) {
    yaml.complain(['admin', 'port'], 'admin.port and listen.port are the same. Choose two ports');
  }
  const services = readServiceRules(parts.services ?? [], yaml);
  const kafkaGiven = isRecord(value) && value.kafka !== undefined;
  const { kafka, matrix, accessLog } = readPublishing(parts, kafkaGiven, yaml, absolute);
  const own = parts.control && databaseAt('control', parts.control.url, ['control', 'url'], yaml, absolute);
  problems.throwIfAny('CONFIG_INVALID');

  const control = own ?? databases.get(defaultName);
  const { rules, limits, cache, log } = parts;
  if (!control || !listen || !auth || !admin || !rules || !limits || !cache || !log || !matrix) {
    throw new PgfigError('INTERNAL', `${file}: a part of the configuration is missing and nothing was said about it`);
  }
  return Object.freeze({
    file: resolve(file),
    listen,
    admin: {
      host: admin.host,
      port: admin.port,
      token: admin.token ?? null,
      users: admin.users ?? (auth.method === 'trust' && isLoopback(listen.host) ? null : []),
    },
    databases,
    default: defaultName,
    rules: absolute(rules),
    homes: new Map(Object.entries(parts.homes ?? {})),
    auth,
    control,
    limits: { ...limits, clientsPerUser: limits.clientsPerUser ?? limits.clients },
    cache,
    log,
    services,
    matrix,
    accessLog,
    kafka,
    verify: parts.verify ?? null,
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
    throw new PgfigError('FILE_UNREADABLE', `the configuration file ${file} cannot be read (${code})`, {
      hint: 'Name another file with --config, or write one: docs/configuration.md has a small one to begin with.',
      cause,
    });
  }
}

function readDatabases(
  given: Readonly<Record<string, unknown>>,
  failed: ReadonlySet<string>,
  yaml: YamlFile,
  absolute: (path: string) => string,
): Map<string, DatabaseConfig> {
  const databases = new Map<string, DatabaseConfig>();
  for (const [name, entry] of Object.entries(given)) {
    if (!isRecord(entry) || typeof entry.url !== 'string' || entry.url === '' || failed.has(`databases.${name}.url`))
      continue;
    const database = databaseAt(name, entry.url, ['databases', name, 'url'], yaml, absolute);
    if (database !== null) databases.set(name, database);
  }
  return databases;
}

function databaseAt(
  name: string,
  url: string,
  path: readonly string[],
  yaml: YamlFile,
  absolute: (path: string) => string,
): DatabaseConfig | null {
  const database = parseDatabaseUrl(name, url, absolute, (what) => yaml.complain(path, what));
  return database && Object.freeze(database);
}

function chooseDefault(parts: Parts, names: readonly string[], yaml: YamlFile): string {
  const [only = ''] = names;
  if (parts.default !== undefined) {
    if (!names.includes(parts.default)) yaml.complain(['default'], unknownDatabase('default', names));
    return parts.default;
  }
  if (names.length === 1) return only;
  if (names.includes('monolith')) return 'monolith';
  if (names.length > 1) {
    yaml.complain(
      ['databases'],
      `which database is the default is not said. Add default: with one of ${names.join(', ')}`,
    );
  }
  return only;
}

const unknownDatabase = (key: string, names: readonly string[]): string =>
  `${key} names a database that is not configured. Use one of ${names.join(', ') || 'the names below databases'}`;

function readListen(parts: Parts, yaml: YamlFile, absolute: (path: string) => string): ListenConfig | null {
  const listen = parts.listen;
  if (listen === undefined) return null;
  const given = listen.tls;
  const tls =
    given === undefined
      ? null
      : {
          ...given,
          cert: absolute(given.cert),
          key: absolute(given.key),
          ca: given.ca === undefined ? null : absolute(given.ca),
        };
  if (tls !== null && tls.mode !== 'disable') {
    for (const [key, what] of pemFaults(tls)) yaml.complain(['listen', 'tls', key], what);
    if (tls.mode.startsWith('verify') && tls.ca === null) {
      yaml.complain(['listen', 'tls', 'mode'], `mode ${tls.mode} needs listen.tls.ca. Name the file of the authority`);
    }
  }
  return {
    host: listen.host,
    port: listen.port,
    workers: listen.workers ?? availableParallelism(),
    backlog: listen.backlog,
    tls,
  };
}

function readAuth(
  parts: Parts,
  listen: ListenConfig | null,
  yaml: YamlFile,
  absolute: (path: string) => string,
): AuthConfig | null {
  const given = parts.auth;
  if (given === undefined) {
    // As initdb does: nobody asks for a password on a loopback address, and nothing else is open by default.
    if (listen !== null && !isLoopback(listen.host)) {
      yaml.complain(
        ['auth'],
        'auth is missing while listen.host is open to the network. Say who may come in, e.g. auth: { users: userlist.txt }',
      );
    }
    return { method: 'trust', users: null, query: null };
  }
  const asks = given.method !== 'trust' && given.method !== 'cert';
  if (asks && given.users === undefined && given.query === undefined) {
    yaml.complain(
      ['auth'],
      `auth.method ${given.method} needs to know the users. Add auth.users (a userlist file) or auth.query`,
    );
  }
  if (given.method === 'cert' && !listen?.tls?.ca) {
    yaml.complain(
      ['auth', 'method'],
      'auth.method cert needs client certificates. Set listen.tls with cert, key and ca',
    );
  }
  const users = given.users === undefined ? null : absolute(given.users);
  if (users !== null) {
    try {
      readFileSync(users);
    } catch {
      yaml.complain(['auth', 'users'], `the file ${users} cannot be read. Correct the path or the permissions`);
    }
  }
  return { method: given.method, users, query: given.query ?? null };
}
