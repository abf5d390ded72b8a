import type { Writable } from 'node:stream';
import { mergeCatalog, readCatalogParts } from '../../backend/catalog.js';
import type { Config } from '../../config/config.js';
import { loadConfig } from '../../config/load.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { loadRules } from '../../rules/load.js';
import { loadParser } from '../../sql/parser.js';
import { auditJson } from '../audit/audit-json.js';
import { auditText } from '../audit/audit-text.js';
import { compareNow, flushAll, type Instances } from '../audit/instances.js';
import { type AuditReport, type PlaceReport, type Verdict, verdictOf } from '../audit/report.js';
import { refusedAt, servicesAt, unseenUses } from '../audit/service-use.js';
import { lookAtSessions, type SessionsSight } from '../audit/sessions.js';
import { type Known, type Place, placesOf, type Target, targetOf } from '../audit/target.js';
import type { Activity } from '../matrix/activity.js';
import { storedMatrix } from '../matrix/stored-matrix.js';
import { adminUrl } from './admin-client.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { unreachable } from './explain.js';
import { matches } from './name-pattern.js';

export interface AuditOptions {
  readonly config: string;
  /** Milliseconds. */
  readonly grace: number;
  /** Patterns of services and applications whose use does not count. */
  readonly ignore?: readonly string[];
  /** Admin APIs of all instances of the fleet; none: that of the configuration. */
  readonly admin?: readonly string[];
  /** Databases in which use counts; none: all but those that tables have moved to. */
  readonly database?: readonly string[];
  readonly json?: boolean;
}

const CODES: Readonly<Record<Verdict, ExitCode>> = { used: EXIT.no, unused: EXIT.done, unknown: EXIT.unreachable };

/**
 * `pgfig audit TABLE|DOMAIN`: who uses it, through pgfig and past it, and when last.
 *
 * @throws PgfigError CONFIG_INVALID, RULES_INVALID, FILE_UNREADABLE; NAME_UNKNOWN; BACKEND_UNREACHABLE where the
 *   control database does not answer, MATRIX_UNREADABLE
 */
export async function audit(name: string, options: AuditOptions, output: Writable = process.stdout): Promise<ExitCode> {
  const config = loadConfig(options.config);
  const rules = loadRules(config.rules, { databases: config.databases.keys(), default: config.default, version: 1 });
  checkDatabases(config, options.database ?? []);
  const urls = options.admin?.length ? options.admin.map(plainUrl) : [adminUrl(config)];
  const [parts, instances] = await Promise.all([readCatalogParts(config), flushAll(config, urls)]);
  const compared = await compareNow(config, instances);
  const { cells } = await storedMatrix(config);
  const known: Known = { rules, catalog: mergeCatalog(null, parts), cells };
  const failures = [...parts].flatMap(([database, part]) =>
    part instanceof Error ? [{ database, error: unreachable(config, database, part) }] : [],
  );
  const target = named(name, known, failures);
  const places = placesOf(target.tables, known);
  const sights = await sessionsAt(config, places, known, instances);
  const report = reportOf({ target, places, known, options, ...compared });
  const whole = { ...report, sessions: sights.sights, unreachable: [...failures, ...sights.failures] };
  output.write(options.json ? auditJson(whole) : auditText(whole));
  return CODES[verdictOf(whole)];
}

function checkDatabases(config: Config, names: readonly string[]): void {
  for (const name of names) {
    if (config.databases.has(name)) continue;
    throw new PgfigError('NAME_UNKNOWN', `there is no database ${name} in the configuration`, {
      hint: `There are ${[...config.databases.keys()].join(', ')}.`,
    });
  }
}

/** @throws PgfigError NAME_UNKNOWN */
function plainUrl(text: string): string {
  if (URL.canParse(text) && /^https?:/.test(text)) return text.replace(/\/+$/, '');
  throw new PgfigError('NAME_UNKNOWN', `${text} is no url of an admin API`, {
    hint: 'Write it as http://10.0.0.7:6433.',
  });
}

type Failures = AuditReport['unreachable'];

/** What a database that does not answer may know is not unknown. */
function named(name: string, known: Known, failures: Failures): Target {
  try {
    return targetOf(name, known);
  } catch (error) {
    const [failure] = failures;
    if (failure === undefined || !(error instanceof PgfigError)) throw error;
    throw new PgfigError('BACKEND_UNREACHABLE', `${error.message}; ${failure.error}`, { cause: error });
  }
}

/** One look at each database that has one of the tables. */
async function sessionsAt(
  config: Config,
  places: readonly Place[],
  { catalog }: Known,
  { answering, silence }: Instances,
): Promise<{ readonly sights: readonly SessionsSight[]; readonly failures: Failures }> {
  const parser = await loadParser();
  const sights: SessionsSight[] = [];
  const failures: { database: string; error: string }[] = [];
  for (const database of config.databases.values()) {
    const here = places.filter((place) => place.database === database.name);
    if (here.length === 0) continue;
    const tables = here.flatMap(({ table, partitions }) => [table, ...partitions]);
    try {
      const question = { config, admins: answering, silence, catalog, parser, tables };
      sights.push(await lookAtSessions(database, question));
    } catch (raised) {
      const error = raised instanceof Error ? raised : new Error(String(raised));
      failures.push({ database: database.name, error: unreachable(config, database.name, error) });
    }
  }
  return { sights, failures };
}

interface Findings {
  readonly target: Target;
  readonly places: readonly Place[];
  readonly known: Known;
  readonly options: AuditOptions;
  readonly activities: readonly Activity[];
  readonly notices: readonly string[];
}

function reportOf(found: Findings): Omit<AuditReport, 'sessions' | 'unreachable'> {
  const { target, places, options, activities, notices } = found;
  const { cells } = found.known;
  const at = Date.now();
  const chosen = options.database ?? [];
  const reports = places.map((place): PlaceReport => {
    const isHere = (activity: Activity): boolean =>
      activity.database === place.database && activity.table === place.table;
    return {
      ...place,
      judged: chosen.length > 0 ? chosen.includes(place.database) : !place.movedHere,
      services: servicesAt(place, cells),
      activity: activities.find(isHere) ?? null,
    };
  });
  return {
    ...target,
    ...{ at, grace: options.grace, places: reports, notices },
    refused: target.tables.map((table) => ({ table, services: refusedAt(table, cells) })),
    unseen: unseenUses(cells, new Set(places.map(({ database }) => database)), at - options.grace),
    ignored: (name) => (options.ignore?.length ?? 0) > 0 && matches(name, options.ignore),
  };
}
