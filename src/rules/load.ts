import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Problems } from '../config/problems.js';
import { readSections } from '../config/sections.js';
import { isRecord, YamlFile } from '../config/yaml-file.js';
import { PgfigError } from '../errors/pgfig-error.js';
import { buildRuleSet } from './build.js';
import { readEvents, readOutbox } from './events-rule.js';
import type { Domain, Phase, ReadsRule, RuleSet } from './rule-set.js';
import { ruleShape } from './schema.js';
import { parseTableName, tableKey } from './table-name.js';

export interface RulesContext {
  /** Names of the configured databases. */
  readonly databases: Iterable<string>;
  /** Name of the default database. */
  readonly default: string;
  readonly version: number;
  /** Whether pgfig.yaml names a Kafka cluster; without this nobody asks. */
  readonly kafka?: boolean;
}

/** The text of each rules file, by its path: what a set was made of, to see whether anything changed. */
export type RuleTexts = ReadonlyMap<string, string>;

/** Where the keys of a domain's file stand, as 'file:line:column', for messages about a change of theirs. */
export interface RulePlaces {
  readonly domain: string;
  readonly database: string;
  readonly phase: string;
  /** By 'schema.table'. */
  readonly tables: ReadonlyMap<string, string>;
}

/** What a rules folder says, valid as a whole. */
export interface LoadedRules {
  readonly rules: RuleSet;
  /** What is allowed, but should be known: 'file:line:column: what. What to do.' */
  readonly warnings: readonly string[];
  /** By the name of the domain. */
  readonly places: ReadonlyMap<string, RulePlaces>;
}

/**
 * Reads every `*.yaml` and `*.yml` of the folder, one domain each. An empty folder is a set without domains.
 *
 * @throws PgfigError RULES_INVALID with every fault of all files, one per line, as
 *   `file:line:column: what. What to do.`; FILE_UNREADABLE where the folder is missing or a file cannot be read.
 */
export function loadRules(dir: string, context: RulesContext): RuleSet {
  return parseRuleTexts(readRuleTexts(dir), context).rules;
}

/** The same as `loadRules`, with warnings and places. @throws PgfigError RULES_INVALID, FILE_UNREADABLE */
export function readRules(dir: string, context: RulesContext): LoadedRules {
  return parseRuleTexts(readRuleTexts(dir), context);
}

/** @throws PgfigError FILE_UNREADABLE */
export function readRuleTexts(dir: string): RuleTexts {
  const read = <T>(what: string, action: () => T): T => {
    try {
      return action();
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
      throw new PgfigError('FILE_UNREADABLE', `${what} cannot be read (${code})`, {
        hint: 'Create the folder (empty is fine: everything stays in the default database), or correct rules: in pgfig.yaml.',
        cause,
      });
    }
  };
  // Names that begin with a dot are editors' swap files and the ..data link of a ConfigMap.
  const names = read(`the rules folder ${dir}`, () => readdirSync(dir))
    .filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.'))
    .sort();
  return new Map(
    names.map((name) => {
      const file = join(dir, name);
      return [file, read(`the rules file ${file}`, () => readFileSync(file, 'utf8'))];
    }),
  );
}

/** The same as `loadRules`, from texts already read. @throws PgfigError RULES_INVALID */
export function parseRules(texts: RuleTexts, context: RulesContext): RuleSet {
  return parseRuleTexts(texts, context).rules;
}

/** The same as `readRules`, from texts already read. @throws PgfigError RULES_INVALID */
export function parseRuleTexts(texts: RuleTexts, context: RulesContext): LoadedRules {
  const problems = new Problems();
  const warnings = new Problems();
  const known = [...context.databases];
  const domains: Domain[] = [];
  const places = new Map<string, RulePlaces>();
  const seen: Seen = { domains: new Map(), tables: new Map(), locals: new Map(), outboxes: new Map() };
  for (const [file, text] of texts) {
    const before = problems.count;
    const yaml = new YamlFile(file, text, problems);
    if (problems.count > before) continue;
    const domain = readDomain(yaml, known, context.default, seen);
    if (domain === null || problems.count > before) continue;
    domains.push(domain);
    const at = placesOf(yaml, domain, seen);
    places.set(domain.name, at);
    if (domain.mirror?.capture === 'none' && MIRRORED.includes(domain.phase))
      warnings.addAt(at.phase, unmirrored(domain));
    if (context.kafka === false && (domain.events ?? domain.outbox) !== undefined) {
      warnings.addAt(yaml.place([domain.events === undefined ? 'outbox' : 'events']), unsent(domain));
    }
    if (domain.events !== undefined && domain.mirror !== undefined && domain.mirror.capture !== 'outbox') {
      warnings.addAt(yaml.place(['events']), uncaptured(domain));
    }
  }
  problems.throwIfAny('RULES_INVALID');
  const rules = buildRuleSet(domains, { defaultDatabase: context.default, version: context.version });
  return Object.freeze({ rules, warnings: Object.freeze(warnings.lines), places });
}

/** The phases in which the copy must be in step with the monolith, or will soon have to be. */
const MIRRORED: readonly Phase[] = ['dual-write', 'shadow-read', 'read-new'];

const unmirrored = ({ name, phase, database }: Domain): string =>
  `domain ${name} is in phase ${phase}, and its rule says capture: none. ` +
  `Keep the copy in ${database} in step by other means, such as logical replication`;

const unsent = ({ name }: Domain): string =>
  `domain ${name} has events or outbox, and pgfig.yaml names no Kafka cluster: nothing is sent. Add kafka.brokers`;

const uncaptured = ({ name, mirror }: Domain): string =>
  `domain ${name} has events, and its rule says capture: ${mirror?.capture}, which records no keys: nothing is sent. ` +
  'Use capture: outbox, or remove events';

/** Where each name was first used, as 'file:line:column'. */
interface Seen {
  readonly domains: Map<string, string>;
  readonly tables: Map<string, { readonly place: string; readonly domain: string }>;
  readonly locals: Map<string, string>;
  readonly outboxes: Map<string, string>;
}

function readDomain(yaml: YamlFile, known: readonly string[], defaultDatabase: string, seen: Seen): Domain | null {
  if (!isRecord(yaml.value)) {
    yaml.complain([], 'the file holds no rules. Write at least domain, database and tables, or remove the file');
    return null;
  }
  const parts = readSections(ruleShape, yaml.value, yaml, new Set());
  const { domain: name, database, phase } = parts;

  if (name !== undefined) {
    const first = seen.domains.get(name);
    if (first === undefined) seen.domains.set(name, yaml.place(['domain']));
    else
      yaml.complain(
        ['domain'],
        `domain ${name} is already defined at ${first}. Merge the two files, or rename one domain`,
      );
  }
  if (database !== undefined && !known.includes(database)) {
    yaml.complain(
      ['database'],
      `unknown database ${JSON.stringify(database)}. Use one of ${known.join(', ')}, or add it to databases in pgfig.yaml`,
    );
  }
  if (phase !== undefined && phase !== 'monolith' && database === defaultDatabase) {
    yaml.complain(
      ['database'],
      `the tables of a domain cannot move to ${database}, the default database, where they are. Name another, or use phase monolith`,
    );
  }
  const tables = readTables(yaml, parts.tables ?? [], name ?? '?', seen);
  const local = readLocals(yaml, parts.local ?? [], seen);
  if (name === undefined || database === undefined || phase === undefined) return null;
  return Object.freeze({
    name,
    database,
    tables: Object.freeze(tables),
    ...(local.length > 0 && { local: Object.freeze(local) }),
    phase,
    owner: parts.owner ?? null,
    crossDatabase: parts.crossDatabase ?? 'refuse',
    file: yaml.file,
    ...(parts.mirror && { mirror: parts.mirror }),
    ...((parts.reads !== undefined || phase === 'read-new') && { reads: readsRule(parts.reads ?? {}) }),
    ...(parts.shadow && { shadow: parts.shadow }),
    ...(parts.events && { events: readEvents(yaml, parts.events, { domain: name, tables }) }),
    ...(parts.outbox && {
      outbox: readOutbox(yaml, parts.outbox, { domain: name, place: (path) => yaml.place(path), seen: seen.outboxes }),
    }),
  });
}

/** Who names services means these; who names none means everyone. */
function readsRule(given: { readonly new?: number | undefined; readonly services?: readonly string[] }): ReadsRule {
  const services = given.services ?? [];
  return { new: given.new ?? (services.length > 0 ? 0 : 100), services };
}

function placesOf(yaml: YamlFile, domain: Domain, seen: Seen): RulePlaces {
  const tables = domain.tables.map((table): [string, string] => [table, seen.tables.get(table)?.place ?? yaml.file]);
  return {
    domain: yaml.place(['domain']),
    database: yaml.place(['database']),
    phase: yaml.place(['phase']),
    tables: new Map(tables),
  };
}

function readTables(yaml: YamlFile, names: readonly string[], domain: string, seen: Seen): string[] {
  const keys: string[] = [];
  for (const [index, text] of names.entries()) {
    const path = ['tables', index];
    const parsed = parseTableName(text);
    if (typeof parsed === 'string') {
      yaml.complain(path, parsed);
      continue;
    }
    const key = tableKey(parsed.schema, parsed.name);
    const first = seen.tables.get(key);
    if (first !== undefined) {
      yaml.complain(
        path,
        `table ${key} is already in domain ${first.domain} at ${first.place}. A table can be in one domain, once; remove it here or there`,
      );
      continue;
    }
    const own = seen.locals.get(key);
    if (own !== undefined) {
      yaml.complain(
        path,
        `table ${key} is local at ${own}. A table moves or is each database's own; remove it here or there`,
      );
      continue;
    }
    seen.tables.set(key, { place: yaml.place(path), domain });
    keys.push(key);
  }
  return keys;
}

/** Several databases may each have a table of that name for themselves, but it cannot move as well. */
function readLocals(yaml: YamlFile, names: readonly string[], seen: Seen): string[] {
  const keys: string[] = [];
  for (const [index, text] of names.entries()) {
    const path = ['local', index];
    const parsed = parseTableName(text);
    if (typeof parsed === 'string') {
      yaml.complain(path, parsed);
      continue;
    }
    const key = tableKey(parsed.schema, parsed.name);
    const moves = seen.tables.get(key);
    if (moves !== undefined) {
      yaml.complain(
        path,
        `table ${key} is in domain ${moves.domain} at ${moves.place}. A table moves or is each database's own; remove it here or there`,
      );
      continue;
    }
    seen.locals.set(key, yaml.place(path));
    keys.push(key);
  }
  return keys;
}
