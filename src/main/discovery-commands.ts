import { type Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { AuditOptions } from '../operator/cli/audit.js';
import type { DiscoverOptions } from '../operator/cli/discover.js';
import { EXIT } from '../operator/cli/exit-codes.js';
import type { MatrixOptions } from '../operator/cli/matrix.js';
import { CONFIG } from './config-option.js';

type AuditArguments = Omit<AuditOptions, 'grace'> & { readonly grace: string };

/** The commands that say who uses what: matrix, discover, audit. */
export function addDiscoveryCommands(pgfig: Command): void {
  addMatrix(pgfig);
  addDiscover(pgfig);
  addAudit(pgfig);
}

/** `pgfig matrix`: which service touches which table. */
function addMatrix(pgfig: Command): void {
  pgfig
    .command('matrix')
    .description('show which service touches which table, as counted from the traffic')
    .option(...CONFIG)
    .option('--service <pattern...>', 'only these services; * and ? stand for any text and any letter')
    .option('--table <pattern...>', 'only these tables, as schema.table')
    .addOption(
      new Option('--sort <order>', 'order of the tables')
        .choices(['table', 'statements', 'writers', 'last'])
        .default('table'),
    )
    .option('--json', 'one JSON object {"cells","pairs"}')
    .option('--csv', 'a line for each table and service')
    .option('--schema', 'print the SQL of the tables that the matrix is kept in, and do nothing')
    .addHelpText(
      'after',
      `
R reads, W writes, RW both, D behind it DDL, x all refused, - nothing. A running pgfig is asked first to store what it has counted.

Examples:
  pgfig matrix --sort writers
  pgfig matrix --table 'public.order*' --csv > orders.csv`,
    )
    .action(async (options: MatrixOptions) => {
      if (options.json && options.csv)
        throw new CommanderError(EXIT.wrongUse, 'json', 'give --json or --csv, not both');
      process.exitCode = await (await import('../operator/cli/matrix.js')).matrix(options);
    });
}

/** `pgfig discover`: the matrix of other sources, and what follows from one. */
function addDiscover(pgfig: Command): void {
  pgfig
    .command('discover')
    .description(
      'tell which service touches which table and where to cut: from the traffic, or from what a database has logged',
    )
    .option(...CONFIG)
    .option('--from-csvlog <file...>', 'server logs: csvlog or jsonlog, also gzip; - is stdin; the oldest first')
    .option('--from-pgaudit <file...>', 'the lines of pgaudit in csvlog, jsonlog, or lines with --line-prefix')
    .option(
      '--line-prefix <prefix>',
      'with --from-pgaudit: the log_line_prefix of logs that are neither csvlog nor jsonlog',
    )
    .option('--from-pg-stat-statements', 'ask the default database')
    .option(
      '--offline',
      'read no catalog: names are resolved by schema public, nothing behind views and functions is seen',
    )
    .option('--since <time>', 'only what was logged from then on, as 2026-05-01T00:00:00Z', timeOf)
    .option('--until <time>', 'only what was logged up to then', timeOf)
    .option('--report <dir>', 'write a report into this folder')
    .option('--write-rules <dir>', 'write drafts of rule files into this folder')
    .option('--json', 'one JSON object: {"source","since","until","cells","pairs","notes","proposal"}')
    .addHelpText(
      'after',
      `
Without a source it is what pgfig has stored of its traffic. Of a log only statements of the default database count;
docs/discover-sources.md says what to set in postgresql.conf.

Examples:
  pgfig discover --report report --write-rules drafts
  pgfig discover --from-csvlog log/postgresql-*.csv
  zstdcat old.csv.zst | pgfig discover --from-csvlog - --json > matrix.json
  pgfig discover --from-pgaudit postgresql.log --line-prefix '%m [%p] %q%u@%d %a '
  pgfig discover --from-pg-stat-statements`,
    )
    .action(async (options: DiscoverOptions) => {
      const sources = [options.fromCsvlog, options.fromPgaudit, options.fromPgStatStatements];
      if (sources.filter((source) => source !== undefined).length > 1)
        throw new CommanderError(EXIT.wrongUse, 'source', 'give one --from-... at a time');
      if (options.linePrefix !== undefined && options.fromPgaudit === undefined)
        throw new CommanderError(EXIT.wrongUse, 'prefix', '--line-prefix is for --from-pgaudit');
      process.exitCode = await (await import('../operator/cli/discover.js')).discover(options);
    });
}

function timeOf(text: string): number {
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError('Give an ISO time, as 2026-05-01T00:00:00Z.');
  return time;
}

/** `pgfig audit`: who still uses a table. */
function addAudit(pgfig: Command): void {
  pgfig
    .command('audit')
    .description('show who still uses a table or domain: through pgfig, and past it')
    .argument('<name>', 'schema.table, a table, or a domain')
    .option(...CONFIG)
    .option('--grace <time>', 'use that is longer ago does not count: a number with m, h, d or w', '90d')
    .option('--ignore <pattern...>', 'services and applications that do not count, such as backup jobs; * and ?')
    .option('--database <name...>', 'count use in these databases; without it, in all but those that tables moved to')
    .option('--admin <url>', 'an admin API of the fleet; give it once for each instance', collected)
    .option('--json', 'one JSON object {"verdict","reasons","places","sessions",...}')
    .addHelpText(
      'after',
      `
Services are those that pgfig has seen. Past pgfig: what the servers count of the table and pgfig has not let pass
(pg_stat_user_tables), and sessions that are not pgfig's (pg_stat_activity). docs/audit.md says what that can and
cannot tell.

Exit codes: 0 nothing uses it, 1 something still does, 2 wrong use, 3 a database cannot be reached.

Examples:
  pgfig audit orders
  pgfig audit public.orders --grace 30d --ignore backup 'pg_dump*'
  pgfig audit orders --admin http://10.0.0.7:6433 --admin http://10.0.0.8:6433 --json`,
    )
    .action(async (name: string, options: AuditArguments) => {
      const { longDuration } = await import('../config/units.js');
      const grace = longDuration.safeParse(options.grace);
      if (!grace.success)
        throw new CommanderError(EXIT.wrongUse, 'grace', `--grace ${grace.error.issues[0]?.message ?? 'is no time'}`);
      const given = { ...options, grace: grace.data };
      process.exitCode = await (await import('../operator/cli/audit.js')).audit(name, given);
    });
}

const collected = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
