import { PgfigError } from '../../errors/pgfig-error.js';
import type { ConsoleColumn, ConsoleCommand } from '../../session/console/console.js';
import { VERSION } from '../version.js';
import { type Show, show } from './show.js';
import { showConfig } from './show-config.js';
import { showCatalog, showDatabases } from './show-databases.js';
import { showPending, showRules, showTables } from './show-rules.js';
import { showClients, showStats, showWorkers } from './show-traffic.js';
import { type CommandText, splitCommands } from './split-commands.js';

/**
 * psql warns of a server that is older than 9.2 or newer than itself, and drivers read features from the version:
 * so the number is a PostgreSQL's, old enough for every psql of today, and pgfig's own stands behind it.
 */
export const SERVER_VERSION = `14.0 (pgfig ${VERSION})`;

const RELOAD = 'RELOAD';
const RELOAD_ABOUT =
  'read rules, certificates and users again, as SIGHUP does; answers when all workers have the rules';

/** postgres.js asks for the array types when it connects, and takes an error for its query's: there are none here. */
const TYPES = 'SELECT';
const ASKS_FOR_TYPES = /^SELECT B\.OID, B\.TYPARRAY FROM PG_CATALOG\.PG_TYPE /;
const TYPE_COLUMNS: readonly ConsoleColumn[] = [
  { name: 'oid', type: 'int4' },
  { name: 'typarray', type: 'int4' },
];

const showHelp = show('this list', { command: 'text', about: 'text' }, () => [
  ...[...SHOWS].map(([command, { about }]) => ({ command, about })),
  { command: RELOAD, about: RELOAD_ABOUT },
]);
const showVersion = show('the version of pgfig', { version: 'text' }, () => [{ version: `pgfig ${VERSION}` }]);
const showTypes = show('', { oid: 'int4', typarray: 'int4' }, () => []);

/** Every command that shows rows, in the order of SHOW HELP. */
const SHOWS: ReadonlyMap<string, Show> = new Map([
  ['SHOW HELP', showHelp],
  ['SHOW VERSION', showVersion],
  ['SHOW RULES', showRules],
  ['SHOW PENDING', showPending],
  ['SHOW TABLES', showTables],
  ['SHOW DATABASES', showDatabases],
  ['SHOW CATALOG', showCatalog],
  ['SHOW CLIENTS', showClients],
  ['SHOW WORKERS', showWorkers],
  ['SHOW STATS', showStats],
  ['SHOW CONFIG', showConfig],
]);

/** The command of that name that shows rows; null for another one. */
export const showOf = (name: string): Show | null => (name === TYPES ? showTypes : (SHOWS.get(name) ?? null));

export const isReload = (name: string): boolean => name === RELOAD;

/** The commands of a text, in whatever case, parted by semicolons. @throws PgfigError UNKNOWN_COMMAND */
export function readCommands(text: string): readonly ConsoleCommand[] {
  return splitCommands(text).map(readCommand);
}

function readCommand({ text, normal }: CommandText): ConsoleCommand {
  if (normal === RELOAD) return { name: RELOAD, columns: null };
  const known = SHOWS.get(normal);
  if (known !== undefined) return { name: normal, columns: known.columns };
  if (ASKS_FOR_TYPES.test(normal)) return { name: TYPES, columns: TYPE_COLUMNS };
  const shown = text.length > 60 ? `${text.slice(0, 60)}...` : text;
  const hint = hintFor(normal);
  throw new PgfigError('UNKNOWN_COMMAND', `the console does not know "${shown}"`, hint === null ? {} : { hint });
}

function hintFor(normal: string): string | null {
  const [word = ''] = normal.split(' ', 1);
  if (/^(BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE)$/.test(word)) {
    return 'The console has no transactions: switch autocommit on. SHOW HELP lists the commands of the console.';
  }
  if (/^(SELECT|WITH|VALUES|TABLE|INSERT|UPDATE|DELETE|MERGE|COPY|CREATE|ALTER|DROP|EXPLAIN)$/.test(word)) {
    return 'This is the console of pgfig: for data, connect to another database. SHOW HELP lists the commands of the console.';
  }
  return null;
}
