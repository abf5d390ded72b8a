import type { Writable } from 'node:stream';
import { loadConfig } from '../../config/load.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { type DomainDiff, diffDomains, diffTables, type TableDiff } from '../../rules/diff.js';
import { type LoadedRules, readRules } from '../../rules/load.js';
import { type PendingChange, pendingLine, takeRules } from '../../rules/transition.js';
import { EXIT, type ExitCode, errorText } from './exit-codes.js';
import { type RunningRules, runningRules } from './running-rules.js';

export interface CheckDiffOptions {
  readonly config: string;
  /** Url of an admin API, or a file with a saved answer of /api/rules. */
  readonly against?: string;
  readonly json?: boolean;
}

/** What a reload would do; the form of `pgfig check --diff --json`. */
interface Report {
  readonly running: { readonly from: string; readonly version: number; readonly loadedAt: Date };
  /** What would change at once. */
  readonly taken: { readonly tables: readonly TableDiff[]; readonly domains: readonly DomainDiff[] };
  /** What would wait, with what it comes to once it is taken. */
  readonly held: readonly Pick<PendingChange, 'domain' | 'at' | 'reason' | 'moves'>[];
  readonly later: { readonly tables: readonly TableDiff[]; readonly domains: readonly DomainDiff[] };
  readonly warnings: readonly string[];
}

/**
 * `pgfig check --diff`: what a reload of the running pgfig would change, table by table. The files are read as that
 * pgfig would read them: with its default database and the databases that it has.
 *
 * @returns 0 nothing would be held; 1 something would; 2 the files are not valid, and a reload would refuse them.
 * @throws PgfigError CONFIG_INVALID, FILE_UNREADABLE; ADMIN_UNREACHABLE
 */
export async function checkDiff(options: CheckDiffOptions, output: Writable = process.stdout): Promise<ExitCode> {
  const config = loadConfig(options.config);
  const running = await runningRules(config, options.against);
  let loaded: LoadedRules;
  try {
    loaded = readRules(config.rules, {
      databases: running.knownDatabases,
      default: running.rules.defaultDatabase,
      version: running.rules.version,
    });
  } catch (error) {
    if (!(error instanceof PgfigError)) throw error;
    const text = [errorText(error), ...notThere([...config.databases.keys()], running)].join('\n');
    if (options.json) output.write(`${JSON.stringify({ error: text })}\n`);
    else output.write(`${runningLine(running)}\n${text}\nrefused        a reload would leave everything as it is\n`);
    return EXIT.wrongUse;
  }
  const report = reportOf(running, loaded);
  output.write(options.json ? `${JSON.stringify(report)}\n` : reportText(running, config.rules, loaded, report));
  return report.held.length > 0 ? EXIT.no : EXIT.done;
}

/** What explains an "unknown database" that pgfig.yaml has. */
function notThere(configured: readonly string[], { from, knownDatabases }: RunningRules): string[] {
  const more = configured.filter((name) => !knownDatabases.includes(name));
  if (more.length === 0) return [];
  return [`hint: ${from} does not have ${more.join(', ')}: pgfig.yaml is read at start only. Restart that pgfig first`];
}

function reportOf({ from, rules }: RunningRules, loaded: LoadedRules): Report {
  const next = takeRules(rules, loaded);
  return {
    running: { from, version: rules.version, loadedAt: rules.loadedAt },
    taken: { tables: diffTables(rules, next.rules), domains: diffDomains(rules, next.rules) },
    held: next.pending.map(({ domain, at, reason, moves }) => ({ domain, at, reason, moves })),
    later: { tables: diffTables(next.rules, loaded.rules), domains: diffDomains(next.rules, loaded.rules) },
    warnings: next.warnings,
  };
}

function reportText(running: RunningRules, folder: string, loaded: LoadedRules, report: Report): string {
  const { taken, held, later, warnings } = report;
  const lines = [
    runningLine(running),
    `files          ${folder}: ${count(loaded.rules.domains.length, 'domain')}, ${count(loaded.rules.tables.size, 'table')}`,
    ...taken.tables.map((table) => `table          ${tableLine(table)}`),
    ...taken.domains.map((domain) => `domain         ${domainLine(domain)}`),
    ...held.map((change) => `held           ${pendingLine(change)}`),
    ...later.tables.map((table) => `held table     ${tableLine(table)}`),
    ...warnings.map((warning) => `warning        ${warning}`),
  ];
  const changes = count(taken.tables.length, 'table');
  if (taken.tables.length + taken.domains.length + held.length === 0) lines.push('a reload would change nothing');
  else lines.push(`a reload would change ${changes} and hold ${count(held.length, 'domain')}`);
  return `${lines.join('\n')}\n`;
}

const runningLine = ({ from, rules }: RunningRules): string =>
  `running        ${from}: version ${rules.version}, loaded ${rules.loadedAt.toISOString()}`;

/** 'public.orders: domain orders; phase shadow-read -> read-new; reads monolith -> orders_db' */
function tableLine({ table, domain, phase, reads, writes }: TableDiff): string {
  const parts = [
    domain.from === null
      ? `added to domain ${domain.to}`
      : domain.to === null
        ? `removed from domain ${domain.from}`
        : `domain ${arrow(domain)}`,
    ...(domain.from === null || domain.to === null || phase.from === phase.to ? [] : [`phase ${arrow(phase)}`]),
    reads.from === reads.to ? `read in ${reads.to}` : `reads ${arrow(reads)}`,
    writes.from === writes.to ? `written in ${writes.to}` : `writes ${arrow(writes)}`,
  ];
  return `${table}: ${parts.join('; ')}`;
}

function domainLine({ domain, change, keys }: DomainDiff): string {
  const parts = Object.entries(keys).map(([key, { from, to }]) =>
    change === 'changed' ? `${key} ${from || 'not given'} -> ${to || 'not given'}` : `${key} ${to || from}`,
  );
  return `${domain}: ${change}${parts.length > 0 ? `: ${parts.join('; ')}` : ''}`;
}

const arrow = ({ from, to }: { from: string | null; to: string | null }): string =>
  from === to ? `${to}` : `${from} -> ${to}`;
const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
