import type { Readable, Writable } from 'node:stream';
import type { Catalog } from '../../backend/catalog.js';
import type { Config } from '../../config/config.js';
import { loadConfig } from '../../config/load.js';
import type { Discovery } from '../../discovery/discovery.js';
import type { Found } from '../../discovery/found.js';
import { discoverLogs } from '../../discovery/from-logs.js';
import { sizeOf } from '../../discovery/logs/open-log.js';
import { type RecorderOptions, type ServiceOf, serviceByName } from '../../discovery/recorder.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { loadRules } from '../../rules/load.js';
import { loadParser } from '../../sql/parser.js';
import { discoveryJson, discoveryText } from './discover-text.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { unreachable } from './explain.js';
import { progressOf } from './progress.js';

export interface DiscoverOptions {
  readonly config: string;
  /** Files of csvlog or jsonlog; '-' is stdin. */
  readonly fromCsvlog?: readonly string[];
  /** Logs with lines of pgaudit. */
  readonly fromPgaudit?: readonly string[];
  /** log_line_prefix of logs that are neither csvlog nor jsonlog. */
  readonly linePrefix?: string;
  readonly fromPgStatStatements?: boolean;
  readonly offline?: boolean;
  /** Milliseconds since 1970. */
  readonly since?: number;
  readonly until?: number;
  /** Folders to write a report, and drafts of rules, into. */
  readonly report?: string;
  readonly writeRules?: string;
  readonly json?: boolean;
}

interface Streams {
  readonly input: Readable;
  readonly output: Writable;
}

/** A source's matrix, and what it is called. */
type Source = (
  config: Config,
  catalog: Catalog | null,
  input: Readable,
) => Promise<Found & { readonly source: string }>;

/**
 * `pgfig discover`: which service touches which table, from logs or statistics of the default database.
 *
 * @throws PgfigError CONFIG_INVALID, RULES_INVALID, FILE_UNREADABLE; BACKEND_UNREACHABLE where the catalog or the
 *   statistics cannot be read; BACKEND_ANSWERED where the database refuses them.
 */
export async function discover(
  options: DiscoverOptions,
  { input, output }: Streams = { input: process.stdin, output: process.stdout },
): Promise<ExitCode> {
  const config = loadConfig(options.config);
  const { domains } = loadRules(config.rules, {
    databases: config.databases.keys(),
    default: config.default,
    version: 1,
  });
  const source = sourceOf(options);
  const catalog = options.offline ? null : await readDefaultCatalog(config);
  const found = await source(config, catalog, input);
  const discovery: Discovery = {
    source: found.source,
    since: found.since,
    until: found.until,
    matrix: found.matrix,
    graph: null,
    domains: new Map(domains.flatMap(({ name, tables }) => tables.map((table) => [table, name] as const))),
    notes: catalog === null ? [...found.notes, OFFLINE] : found.notes,
  };
  output.write(options.json ? `${discoveryJson(discovery)}\n` : discoveryText(discovery, found));
  return EXIT.done;
}

const OFFLINE =
  'No catalog was read: names without a schema are taken to be in public, and what lies behind views, functions and triggers is not known.';

function sourceOf(options: DiscoverOptions): Source {
  if (options.fromCsvlog !== undefined) return fromLogs(options.fromCsvlog, 'statements', options);
  if (options.fromPgaudit !== undefined) return fromLogs(options.fromPgaudit, 'pgaudit', options);
  return options.fromPgStatStatements ? fromStatStatements(options) : fromStored;
}

function fromLogs(files: readonly string[], lines: 'statements' | 'pgaudit', options: DiscoverOptions): Source {
  return async (config, catalog, stdin) => {
    const progress = progressOf(await sizeOf(files));
    try {
      const found = await discoverLogs({
        ...(await recorderOptions(config, catalog, options)),
        files,
        lines,
        linePrefix: options.linePrefix ?? null,
        dbname: config.databases.get(config.default)?.dbname ?? '',
        onBytes: (count) => progress.add(count),
        stdin,
      });
      const what = lines === 'pgaudit' ? 'pgaudit’s lines' : 'server log';
      return { ...found, source: `${what} of ${files.length} file${files.length === 1 ? '' : 's'}` };
    } finally {
      progress.stop();
    }
  };
}

function fromStatStatements(options: DiscoverOptions): Source {
  return async (config, catalog) => {
    const database = config.databases.get(config.default);
    if (database === undefined) throw new Error('unreachable: the default database is not configured');
    const { connectPg } = await import('../../backend/pg-client.js');
    const { readStatStatements } = await import('../../discovery/stat-statements.js');
    const client = await connectPg(config, database, 'pgfig discover').catch((error: unknown) => {
      throw cannotReach(config, error);
    });
    try {
      const found = await readStatStatements(client, await recorderOptions(config, catalog, options));
      const ignored = options.since !== undefined || options.until !== undefined;
      const notes = ignored
        ? [...found.notes, '--since and --until do not apply: pg_stat_statements keeps sums.']
        : found.notes;
      return { ...found, notes, source: `pg_stat_statements of database ${config.default}` };
    } finally {
      await client.end();
    }
  };
}

/** The matrix that pgfig has stored of its own traffic. */
const fromStored: Source = async () => {
  throw new PgfigError('CONFIG_INVALID', 'no source is given', {
    hint: 'Give --from-csvlog FILE..., --from-pgaudit FILE..., or --from-pg-stat-statements.',
  });
};

async function recorderOptions(
  config: Config,
  catalog: Catalog | null,
  { since, until }: DiscoverOptions,
): Promise<RecorderOptions> {
  return {
    parser: await loadParser(),
    cache: config.cache,
    catalog,
    database: config.default,
    serviceOf: serviceOf(config),
    since: since ?? null,
    until: until ?? null,
  };
}

const serviceOf = (_config: Config): ServiceOf => serviceByName;

/** Of the default database alone: the sources are its own, so that no other has to be up. */
async function readDefaultCatalog(config: Config): Promise<Catalog> {
  const database = config.databases.get(config.default);
  if (database === undefined) throw new Error('unreachable: the default database is not configured');
  const { mergeCatalog, readCatalogParts } = await import('../../backend/catalog.js');
  const parts = await readCatalogParts({ ...config, databases: new Map([[config.default, database]]) });
  const part = parts.get(config.default);
  if (part instanceof Error) throw cannotReach(config, part);
  return mergeCatalog(null, parts);
}

const cannotReach = (config: Config, error: unknown): PgfigError =>
  new PgfigError(
    'BACKEND_UNREACHABLE',
    unreachable(config, config.default, error instanceof Error ? error : new Error(String(error))),
    { hint: 'Start the database or correct its url; logs can be read with --offline too.', cause: error },
  );
