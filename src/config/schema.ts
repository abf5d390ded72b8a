import { z } from 'zod';
import { accessLog, kafka, matrix, services } from './publishing-schema.js';
import { duration, integer, size, text } from './units.js';
import { verify } from './verify-schema.js';

/** The shape of `pgfig.yaml`: what may stand where, with the texts that editors show (schema/pgfig.schema.json). */

const database = z
  .strictObject({
    url: text(
      'postgres://[user[:password]@]host[:port]/dbname[?sslmode=...&sslrootcert=...&sslcert=...&sslkey=...&connect_timeout=seconds]. A user in the url is used for every session; without one, the client’s own.',
    ),
  })
  .describe('A backend Postgres database.');

const listen = z
  .strictObject({
    host: text('Address that clients connect to.').default('127.0.0.1'),
    port: integer(0, 65_535).prefault(6432).describe('Port that clients connect to; 0 picks a free one.'),
    workers: integer(1, 256).optional().describe('Worker processes that carry traffic; default: one per CPU core.'),
    backlog: integer(1, 65_535).prefault(511).describe('Connections that may wait to be accepted.'),
    tls: z
      .strictObject({
        mode: z
          .enum(['disable', 'allow', 'require', 'verify-ca', 'verify-full'])
          .default('allow')
          .describe(
            'disable: no TLS; allow: clients may use it; require: they must; verify-ca: and show a certificate of `ca`; verify-full: and its common name is the user.',
          ),
        cert: text('PEM file with the server certificate (and its chain).'),
        key: text('PEM file with the private key.'),
        ca: text('PEM file with the authorities that client certificates must chain to.').optional(),
      })
      .optional()
      .describe('TLS from clients; without it SSLRequest is answered N.'),
  })
  .prefault({})
  .describe('Where clients connect.');

const admin = z
  .strictObject({
    host: text('Address of the admin endpoint (health, metrics, status).').default('127.0.0.1'),
    port: integer(0, 65_535).prefault(6433).describe('Port of the admin endpoint; 0 picks a free one.'),
    token: text('Bearer token that requests must carry; needed where host is not a loopback address.').optional(),
    users: z
      .array(text('Name of a user.'), 'must be a list of users')
      .optional()
      .describe(
        'Users who may use the console, the virtual database pgfig of the clients’ port; each logs in there as elsewhere. Default: nobody; with auth.method trust on a loopback address, everybody.',
      ),
  })
  .prefault({})
  .describe('The admin endpoint, and who may use the console.');

const auth = z
  .strictObject({
    method: z
      .enum(['trust', 'scram-sha-256', 'md5', 'password', 'cert'])
      .default('scram-sha-256')
      .describe('How clients prove who they are.'),
    users: text('File of users and verifiers, in the format of PgBouncer’s userlist.txt.').optional(),
    query: text(
      'Query with one parameter, $1 = user name, that returns user, verifier and optionally valid-until; runs on the control database.',
    ).optional(),
  })
  .optional()
  .describe('Who may come in. Without this section: trust, and only on a loopback address.');

const limits = z
  .strictObject({
    clients: integer(1, 1_000_000).prefault(10_000).describe('Client connections in all.'),
    clientsPerUser: integer(1, 1_000_000)
      .optional()
      .describe('Client connections of one user; default: as many as in all.'),
    authTimeout: duration.prefault('60s').describe('How long a client may take to log in.'),
    drainTimeout: duration.prefault('30s').describe('How long SIGTERM waits for transactions to end.'),
  })
  .prefault({})
  .describe('Limits.');

const cache = z
  .strictObject({
    entries: integer(0, 10_000_000).prefault(25_000).describe('Statements kept parsed, per worker.'),
    bytes: size.prefault('96MB').describe('Memory that they may take, per worker.'),
  })
  .prefault({})
  .describe('The cache of parsed statements.');

const log = z
  .strictObject({
    level: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .default('info')
      .describe('The least important lines to write.'),
  })
  .prefault({})
  .describe('The log.');

/** Names stand in messages, metrics and commands, beside the words any and every, which routes use. */
export const DATABASE_NAME = /^(?!(?:any|every)$)[A-Za-z_][A-Za-z0-9_-]{0,62}$/;

export const configShape = {
  databases: z
    .record(
      z.string().regex(DATABASE_NAME, 'is not a name for a database: letters, digits, _ and -, not "any" or "every"'),
      database,
      'must be a mapping of names to databases',
    )
    .refine((all) => Object.keys(all).length > 0, 'must name at least one database')
    .describe('The backend databases, by the names that rules use.'),
  default: text(
    'The database of every table without a rule. Its dbname is the one that services ask for. Default: the only database, or the one named monolith.',
  ).optional(),
  rules: text('Folder of the routing rules, one YAML file per domain; read again when it changes.').default(
    'routing-rules',
  ),
  homes: z
    .record(z.string(), text('Name of a database.'), 'must be a mapping of services to databases')
    .default({})
    .describe('service: database that its sessions log in to first; default: the default database.'),
  listen,
  admin,
  auth,
  control: z
    .strictObject({ url: text('Connection for catalog, jobs and state, as in databases.') })
    .optional()
    .describe('The control connection; default: the default database’s url.'),
  limits,
  cache,
  log,
  services,
  matrix,
  accessLog,
  kafka,
  verify,
};

export const configSchema = z.strictObject(configShape).describe('Configuration of pgfig, pgfig.yaml.');
