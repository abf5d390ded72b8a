import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Catalog } from '../../backend/catalog.js';
import type { Config } from '../../config/config.js';
import { loadConfig } from '../../config/load.js';
import { isRecord } from '../../config/yaml-file.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import type { RoutingContext } from '../../routing/plan.js';
import { readsNewOf } from '../../routing/read-share.js';
import { loadRules } from '../../rules/load.js';
import { loadParser, type Parser } from '../../sql/parser.js';
import type { ParsedText } from '../../sql/statement.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { explainScript, explainText } from './explain-script.js';

export interface ExplainOptions {
  readonly config: string;
  /** The service that is supposed to send the statement. */
  readonly service?: string;
  /** The user whose search_path is used; default: that of the default database's url. */
  readonly user?: string;
  readonly json?: boolean;
  readonly offline?: boolean;
  /** The session's own number, 0 <= share < 100, which `reads.new` of phase read-new is held against; default: the last to be chosen. */
  readonly share?: number;
  readonly stdin?: boolean;
}

/** Chosen by 100 % alone. */
const LAST_SHARE = 99.999;

interface Streams {
  readonly input: Readable;
  readonly output: Writable;
}

/**
 * `pgfig explain`: where statements would go and why, without sending them anywhere.
 *
 * @throws PgfigError CONFIG_INVALID, RULES_INVALID, FILE_UNREADABLE; BACKEND_UNREACHABLE where a catalog cannot be
 *   read and `offline` is not set.
 */
export async function explain(
  sql: string | undefined,
  options: ExplainOptions,
  streams: Streams = { input: process.stdin, output: process.stdout },
): Promise<ExitCode> {
  const config = loadConfig(options.config);
  const rules = loadRules(config.rules, { databases: config.databases.keys(), default: config.default, version: 1 });
  const [parser, catalog] = await Promise.all([loadParser(), options.offline ? null : readCatalogs(config)]);
  const home = config.homes.get(options.service ?? '');
  const context: RoutingContext = {
    rules,
    catalog,
    searchPath: searchPathOf(catalog, config, options.user),
    tempTables: new Map(),
    service: options.service ?? '',
    readsNew: readsNewOf(rules, options.service ?? '', options.share ?? LAST_SHARE),
    ...(home !== undefined && { home }),
  };
  if (options.stdin) return explainLines(parser, context, streams);
  const statements = explainScript(await parse(parser, sql ?? ''), context);
  streams.output.write(options.json ? `${JSON.stringify({ statements })}\n` : explainText(statements, sql ?? ''));
  return EXIT.done;
}

/** JSON lines {"sql": "..."} in, one line out for each, in order; a line that cannot be read is answered {"error": "..."}. */
async function explainLines(parser: Parser, context: RoutingContext, { input, output }: Streams): Promise<ExitCode> {
  let code: ExitCode = EXIT.done;
  let number = 0;
  // A reader that went away (`| head`) ends the work; it is not an error.
  let gone = false;
  output.on('error', () => {
    gone = true;
  });
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (gone) break;
    if (line.trim() === '') continue;
    const sql = sqlOf(line);
    if (sql === null) code = EXIT.wrongUse;
    const answer =
      sql === null
        ? { error: `line ${number} is not a JSON object with a text "sql"` }
        : { statements: explainScript(await parse(parser, sql), context) };
    if (!output.write(`${JSON.stringify(answer)}\n`) && !gone) await roomIn(output);
  }
  return code;
}

function roomIn(output: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of EVENTS) output.off(event, done);
      resolve();
    };
    for (const event of EVENTS) output.on(event, done);
  });
}
const EVENTS = ['drain', 'close', 'error'] as const;

/** Texts nested too deep wear the parser out until a fresh one is made, in the background: give it the time. */
async function parse(parser: Parser, sql: string): Promise<ParsedText> {
  for (let triesLeft = 50; ; triesLeft -= 1) {
    const parsed = parser.parse(sql);
    if (!parsed.transient || triesLeft === 0) return parsed;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function sqlOf(line: string): string | null {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) && typeof value.sql === 'string' ? value.sql : null;
  } catch {
    return null;
  }
}

async function readCatalogs(config: Config): Promise<Catalog> {
  // The driver takes a while to load, which --offline need not wait for.
  const { mergeCatalog, readCatalogParts } = await import('../../backend/catalog.js');
  const parts = await readCatalogParts(config);
  const failures = [...parts].flatMap(([name, part]) =>
    part instanceof Error ? [unreachable(config, name, part)] : [],
  );
  if (failures.length > 0) {
    throw new PgfigError('BACKEND_UNREACHABLE', failures.join('\n'), {
      hint: 'Start the database or correct its url; or use --offline, which resolves names by the rules alone.',
    });
  }
  return mergeCatalog(null, parts);
}

/** 'database orders_db (127.0.0.1:5433/orders) cannot be reached: ...'; nothing of the url but its place. */
export function unreachable(config: Config, name: string, error: Error): string {
  const database = config.databases.get(name);
  const place = database === undefined ? '' : ` (${database.host}:${database.port}/${database.dbname})`;
  return `database ${name}${place} cannot be reached: ${messageOf(error)}`;
}

function messageOf(error: Error): string {
  // A host with several addresses fails with one error for each and no message of its own.
  if (error instanceof AggregateError) return error.errors.map((inner) => String(inner?.message ?? inner)).join('; ');
  return error.message;
}

/** `$user` is left out where there is no schema of that name, as most often. */
function searchPathOf(catalog: Catalog | null, config: Config, user: string | undefined): readonly string[] {
  if (catalog === null) return ['public'];
  const role = user ?? config.databases.get(config.default)?.user ?? '';
  const path = catalog.initialSearchPath(config.default, role) ?? ['$user', 'public'];
  const hasOwn = catalog.hasSchema(config.default, role) ?? false;
  return path.flatMap((schema) => (schema === '$user' ? (hasOwn ? [role] : []) : [schema]));
}
