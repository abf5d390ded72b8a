import type { Readable, Writable } from 'node:stream';
import { loadConfig } from '../../config/load.js';
import type { Discovery } from '../../discovery/discovery.js';
import { writeDraftRules } from '../../discovery/draft-rules.js';
import { propose } from '../../discovery/propose.js';
import { writeReport } from '../../discovery/report/write-report.js';
import { staticGraph } from '../../discovery/static-graph.js';
import { loadRules } from '../../rules/load.js';
import { readDefaultCatalog, type SourceOptions, sourceOf } from './discover-sources.js';
import { discoveryJson, discoveryText } from './discover-text.js';
import { EXIT, type ExitCode } from './exit-codes.js';

export interface DiscoverOptions extends SourceOptions {
  readonly config: string;
  readonly offline?: boolean;
  /** Folders to write a report, and drafts of rules, into. */
  readonly report?: string;
  readonly writeRules?: string;
  readonly json?: boolean;
}

interface Streams {
  readonly input: Readable;
  readonly output: Writable;
}

/**
 * `pgfig discover`: which service touches which table, and where to cut; from what pgfig has stored of its traffic, or
 * from logs or statistics of the default database.
 *
 * @throws PgfigError CONFIG_INVALID, RULES_INVALID, FILE_UNREADABLE; MATRIX_UNREADABLE where nothing is stored;
 *   BACKEND_UNREACHABLE where the catalog, the matrix or the statistics cannot be read; BACKEND_ANSWERED where the
 *   database refuses them; FILE_EXISTS where a draft would overwrite a rule file.
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
    graph: catalog === null ? null : staticGraph(catalog, config.default),
    domains: new Map(domains.flatMap(({ name, tables }) => tables.map((table) => [table, name] as const))),
    notes: catalog === null ? [...found.notes, OFFLINE] : found.notes,
  };
  const proposal = propose(discovery);
  const written = [
    ...(options.report === undefined ? [] : [await writeReport(options.report, discovery, proposal)]),
    ...(options.writeRules === undefined ? [] : await writeDraftRules(options.writeRules, proposal)),
  ];
  const text = options.json
    ? `${discoveryJson(discovery, proposal)}\n`
    : discoveryText(discovery, proposal, { ...found, written });
  output.write(text);
  return EXIT.done;
}

const OFFLINE =
  'No catalog was read: names without a schema are taken to be in public, and what lies behind views, functions and triggers is not known.';
