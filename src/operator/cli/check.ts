import type { Writable } from 'node:stream';
import { type Catalog, mergeCatalog, readCatalogParts } from '../../backend/catalog.js';
import type { Config } from '../../config/config.js';
import { consoleWarnings } from '../../config/console-access.js';
import { loadConfig } from '../../config/load.js';
import { certificateWarnings } from '../../config/tls-files.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { compareTables } from '../../jobs/backfill/pre-checks.js';
import { withBoth } from '../../mirror/connection.js';
import { mirrorOf } from '../../mirror/mirror.js';
import { tableHomes } from '../../routing/table-homes.js';
import { readRules } from '../../rules/load.js';
import type { RuleSet } from '../../rules/rule-set.js';
import { compareFacts, type DatabaseFacts, readFacts } from './compare-databases.js';
import { crossingLines } from './crossing-lines.js';
import { EXIT, type ExitCode, errorText } from './exit-codes.js';
import { unreachable } from './explain.js';

export interface CheckOptions {
  readonly config: string;
}

/**
 * `pgfig check`: everything that can be said before traffic comes. Faults of configuration and rules, databases that
 * do not answer, tables that are not where the rules say, certificates that end, and differences between databases
 * that a session would notice when its tables move.
 *
 * @throws PgfigError CONFIG_INVALID, FILE_UNREADABLE of the configuration itself, without which nothing else can be looked at.
 */
export async function check(options: CheckOptions, output: Writable = process.stdout): Promise<ExitCode> {
  const say = (line: string): void => void output.write(`${line}\n`);
  const config = loadConfig(options.config);
  say(`configuration  ${options.config}: good`);
  let code: ExitCode = EXIT.done;

  const rules = rulesOf(config, say);
  if (rules === null) code = EXIT.wrongUse;

  const certificates = certificateWarnings(config);
  for (const { text } of certificates) say(`warning        ${text}`);
  for (const text of consoleWarnings(config)) say(`warning        ${text}`);
  if (code === EXIT.done && certificates.some((certificate) => certificate.expired)) code = EXIT.no;

  const facts = await factsOf(config, rules, say);
  if (code === EXIT.done && facts.size < config.databases.size) code = EXIT.unreachable;
  if (rules !== null) sayTableMap(rules, facts, say);
  if (rules !== null) for (const warning of differences(rules, facts)) say(`warning        ${warning}`);
  if (rules !== null) for (const line of crossingLines(await catalogOf(config), rules)) say(`warning        ${line}`);
  if (rules !== null && (await sayDrift(config, rules, facts, say)) && code === EXIT.done) code = EXIT.no;
  if (code === EXIT.done && rules !== null && missingTables(rules, facts).length > 0) code = EXIT.no;
  return code;
}

/** Whether the copies of mirrored domains can take every row of the source. @returns whether some cannot */
async function sayDrift(
  config: Config,
  rules: RuleSet,
  facts: ReadonlyMap<string, DatabaseFacts>,
  say: (line: string) => void,
): Promise<boolean> {
  let refused = false;
  for (const mirror of rules.domains.map((domain) => mirrorOf(domain, config.default))) {
    if (mirror === null || !facts.has(mirror.source) || !facts.has(mirror.target)) continue;
    const findings = await withBoth(config, mirror, (source, target) => compareTables(source, target, mirror.tables));
    for (const { table, severity, text } of findings) {
      const line = severity === 'problem' ? 'problem' : 'note';
      say(`${line.padEnd(15)}${table} (domain ${mirror.domain}): ${text}`);
      refused ||= severity === 'problem';
    }
  }
  return refused;
}

function rulesOf(config: Config, say: (line: string) => void): RuleSet | null {
  try {
    const { rules, warnings } = readRules(config.rules, {
      databases: config.databases.keys(),
      default: config.default,
      version: 1,
      kafka: config.kafka !== null,
    });
    say(
      `rules          ${config.rules}: ${plural(rules.domains.length, 'domain')}, ${plural(rules.tables.size, 'table')}`,
    );
    for (const warning of warnings) say(`warning        ${warning}`);
    return rules;
  } catch (error) {
    if (!(error instanceof PgfigError)) throw error;
    say(errorText(error));
    return null;
  }
}

async function factsOf(
  config: Config,
  rules: RuleSet | null,
  say: (line: string) => void,
): Promise<ReadonlyMap<string, DatabaseFacts>> {
  const read = [...config.databases.values()].map(async (database): Promise<[string, DatabaseFacts | Error]> => {
    try {
      return [database.name, await readFacts(config, database, [...(rules?.tables.keys() ?? [])])];
    } catch (error) {
      return [database.name, error instanceof Error ? error : new Error(String(error))];
    }
  });
  const facts = new Map<string, DatabaseFacts>();
  for (const [name, found] of await Promise.all(read)) {
    if (found instanceof Error) say(`unreachable    ${unreachable(config, name, found)}`);
    else {
      say(`database       ${name}: PostgreSQL ${found.settings.get('server_version') ?? '?'}`);
      facts.set(name, found);
    }
  }
  return facts;
}

/** Of the databases that answer; those that do not were told of. */
async function catalogOf(config: Config): Promise<Catalog> {
  return mergeCatalog(null, await readCatalogParts(config));
}

function sayTableMap(rules: RuleSet, facts: ReadonlyMap<string, DatabaseFacts>, say: (line: string) => void): void {
  const missing = new Set(missingTables(rules, facts));
  for (const entry of tableHomes(rules)) {
    const home = entry.writes[0] ?? rules.defaultDatabase;
    const state = missing.has(entry.table) ? `, but does not exist there. Create it, or correct the rules` : '';
    const [read = home] = entry.reads;
    const reads = read === home ? '' : `, read in ${read}`;
    say(`table          ${entry.table} is in ${home}${reads} (domain ${entry.domain}, phase ${entry.phase})${state}`);
  }
  say(`other tables   are in ${rules.defaultDatabase}`);
}

function missingTables(rules: RuleSet, facts: ReadonlyMap<string, DatabaseFacts>): string[] {
  return tableHomes(rules).flatMap(({ table, reads, writes }) =>
    [...reads, ...writes].some((home) => facts.get(home)?.tables.has(table) === false) ? [table] : [],
  );
}

/** Each database of a domain against the default one, whose types and settings sessions began with. */
function differences(rules: RuleSet, facts: ReadonlyMap<string, DatabaseFacts>): readonly string[] {
  const base = facts.get(rules.defaultDatabase);
  if (base === undefined) return [];
  const names = new Set(rules.domains.map((domain) => domain.database));
  names.delete(rules.defaultDatabase);
  return [...names].flatMap((name) => {
    const other = facts.get(name);
    const tables = rules.domains.filter((domain) => domain.database === name).flatMap((domain) => domain.tables);
    return other === undefined ? [] : compareFacts(base, other, tables);
  });
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
