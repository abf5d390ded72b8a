import type { Readable } from 'node:stream';
import type { Catalog } from '../../backend/catalog.js';
import type { Config } from '../../config/config.js';
import { ServiceNames } from '../../config/service-names.js';
import type { Found } from '../../discovery/found.js';
import { discoverLogs } from '../../discovery/from-logs.js';
import { sizeOf } from '../../discovery/logs/open-log.js';
import type { RecorderOptions, ServiceOf } from '../../discovery/recorder.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { loadParser } from '../../sql/parser.js';
import { currentMatrix } from './current-matrix.js';
import { unreachable } from './explain.js';
import { progressOf } from './progress.js';

export interface SourceOptions {
  /** Files of csvlog or jsonlog; '-' is stdin. */
  readonly fromCsvlog?: readonly string[];
  /** Logs with lines of pgaudit. */
  readonly fromPgaudit?: readonly string[];
  /** log_line_prefix of logs that are neither csvlog nor jsonlog. */
  readonly linePrefix?: string;
  readonly fromPgStatStatements?: boolean;
  /** Milliseconds since 1970. */
  readonly since?: number;
  readonly until?: number;
}

/** A source's matrix, and what it is called. */
export type Source = (
  config: Config,
  catalog: Catalog | null,
  input: Readable,
) => Promise<Found & { readonly source: string }>;

/** Where the matrix comes from; without another source it is the one that pgfig has stored. */
export function sourceOf(options: SourceOptions): Source {
  if (options.fromCsvlog !== undefined) return fromLogs(options.fromCsvlog, 'statements', options);
  if (options.fromPgaudit !== undefined) return fromLogs(options.fromPgaudit, 'pgaudit', options);
  return options.fromPgStatStatements ? fromStatStatements(options) : fromStored(options);
}

function fromLogs(files: readonly string[], lines: 'statements' | 'pgaudit', options: SourceOptions): Source {
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

function fromStatStatements(options: SourceOptions): Source {
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

/** The matrix that pgfig has stored of its own traffic; one that runs here stores first what it has counted. */
function fromStored({ since, until }: SourceOptions): Source {
  return async (config) => {
    const matrix = await currentMatrix(config);
    const notes =
      since === undefined && until === undefined
        ? []
        : ['--since and --until do not apply: the stored matrix keeps sums.'];
    const times = matrix.cells.flatMap(({ first, last }) => [first, last]);
    return {
      matrix,
      source: 'traffic through pgfig',
      statements: null,
      failures: 0,
      since: least(times),
      until: greatest(times),
      notes,
    };
  };
}

/** Not by Math.min(...): there may be more than a call takes. */
const least = (times: readonly number[]): number | null =>
  times.length === 0 ? null : times.reduce((a, b) => Math.min(a, b));
const greatest = (times: readonly number[]): number | null =>
  times.length === 0 ? null : times.reduce((a, b) => Math.max(a, b));

async function recorderOptions(
  config: Config,
  catalog: Catalog | null,
  { since, until }: SourceOptions,
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

function serviceOf(config: Config): ServiceOf {
  const names = new ServiceNames(config.services);
  return (applicationName, user, address) => names.nameOf(applicationName, user, address);
}

/** Of the default database alone: the sources are its own, so that no other has to be up. */
export async function readDefaultCatalog(config: Config): Promise<Catalog> {
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
