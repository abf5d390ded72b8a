#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { EXIT, errorText, exitCodeOf } from '../operator/cli/exit-codes.js';
import { CONFIG } from './config-option.js';
import { addDiscoveryCommands } from './discovery-commands.js';
import { addJobCommands } from './job-commands.js';
import { addMirrorCommands } from './mirror-commands.js';
import { addRelayCommands } from './relay-commands.js';

/**
 * The program `pgfig`. Each command loads its own parts only when it runs: `--help` and `explain --offline` need no
 * driver, and a worker process needs nothing of the operator's commands.
 */

interface ServeOptions {
  readonly config: string;
  readonly embedded?: boolean;
  readonly keep?: string;
  readonly trace?: boolean;
}

interface CheckArguments {
  readonly config: string;
  readonly against?: string;
  readonly json?: boolean;
  readonly diff?: boolean;
}

function program(): Command {
  const pgfig = new Command('pgfig')
    .description(
      'A router for Postgres: stands between services and their shared database, and sends each statement to the\n' +
        'database that its tables live in, so that tables can move out of it one domain at a time.',
    )
    .version(version(), '-V, --version')
    .showHelpAfterError('(add --help for the options and examples)')
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  pgfig serve --embedded                    try it: two Postgres servers, a sample shop, the proxy before them
  pgfig serve --config pgfig.yaml           run it
  pgfig check --config pgfig.yaml           look for faults before it runs
  pgfig explain "SELECT * FROM orders"      where would this go, and why?

Exit codes: 0 done, 1 the answer is no, 2 wrong use or wrong configuration, 3 a database or the running pgfig cannot be reached.`,
    );

  pgfig
    .command('serve')
    .description('run the proxy')
    .option(...CONFIG)
    .option(
      '--embedded',
      'start two Postgres servers with a sample shop, and the proxy before them; needs no configuration',
    )
    .option('--keep <dir>', 'with --embedded: keep the data in this folder; without it, all is gone at the end')
    .option('--trace', 'print one line for each message of the protocol, secrets masked')
    .addHelpText(
      'after',
      '\nSIGTERM or Ctrl-C lets transactions end, then stops; a second one stops now. SIGHUP reads certificates and users again.',
    )
    .action(async (options: ServeOptions) => {
      if (options.keep !== undefined && !options.embedded)
        throw new CommanderError(EXIT.wrongUse, 'keep', '--keep is for --embedded');
      if (options.embedded) await (await import('./serve-embedded.js')).serveEmbedded(options);
      else await (await import('./serve.js')).serve(options);
    });

  pgfig
    .command('explain')
    .description('show the tables of statements, where they would go, and why; sends nothing')
    .argument('[sql]', 'the statements')
    .option(...CONFIG)
    .option('-s, --service <name>', 'as if this service had sent them')
    .option('-u, --user <name>', 'with the search_path of this user')
    .option('--share <number>', 'in phase read-new: as a session that drew this number, 0 to 100', shareOf)
    .option('--json', 'one JSON object: {"statements":[{"kind","reads","writes","route","refused","reason"}]}')
    .option('--offline', 'ask no database: names are resolved by the rules and schema public')
    .option('--stdin', 'read JSON lines {"sql": "..."} and answer each with such an object on a line')
    .addHelpText(
      'after',
      `
The route is a database, or "any" (no table: where the session last was), or "every" (concerns the whole session).

Examples:
  pgfig explain "SELECT * FROM orders JOIN users ON users.id = orders.user_id"
  pgfig explain --offline --json "UPDATE orders SET status = 'paid' WHERE id = 1"
  jq -c '{sql: .query}' queries.json | pgfig explain --offline --stdin`,
    )
    .action(async (sql: string | undefined, options: import('../operator/cli/explain.js').ExplainOptions) => {
      if ((sql === undefined) !== (options.stdin === true)) {
        throw new CommanderError(EXIT.wrongUse, 'sql', 'give the SQL as one argument, or --stdin, and not both');
      }
      process.exitCode = await (await import('../operator/cli/explain.js')).explain(sql, options);
    });

  pgfig
    .command('check')
    .description('look for faults: configuration, rules, databases, certificates, differences between databases')
    .option(...CONFIG)
    .option('--diff', 'instead: what a reload would change in the running pgfig, table by table')
    .option('--against <url|file>', 'with --diff: another admin API, or a file with a saved answer of its /api/rules')
    .option('--json', 'with --diff: one JSON object {"running","taken","held","later","warnings"}')
    .addHelpText(
      'after',
      `
Exit codes of --diff: 0 all of it would be taken, 1 some of it would be held, 2 the files are not valid, 3 the admin
API does not answer.

Examples:
  pgfig check --diff
  pgfig check --diff --against http://10.0.0.7:6433
  curl -s http://10.0.0.7:6433/api/rules > running.json; pgfig check --diff --against running.json`,
    )
    .action(async (options: CheckArguments) => {
      if (options.diff) process.exitCode = await (await import('../operator/cli/check-diff.js')).checkDiff(options);
      else if (options.against !== undefined || options.json)
        throw new CommanderError(EXIT.wrongUse, 'diff', '--against and --json are for --diff');
      else process.exitCode = await (await import('../operator/cli/check.js')).check(options);
    });

  pgfig
    .command('reload')
    .description('have the running pgfig read certificates, users and rules again, and show what came of it')
    .option(...CONFIG)
    .option('--json', 'the answer of the admin API, one JSON object')
    .addHelpText(
      'after',
      `
A change that would move writes is held, with the reason. SIGHUP does the same without an answer, and the rules folder
is watched anyway.

Exit codes: 0 the rules are as the files say, 1 a change is held or the files are refused, 3 the admin API does not
answer.`,
    )
    .action(async (options: import('../operator/cli/reload.js').ReloadOptions) => {
      process.exitCode = await (await import('../operator/cli/reload.js')).reload(options);
    });
  addDiscoveryCommands(pgfig);
  addMirrorCommands(pgfig);
  addRelayCommands(pgfig);
  addJobCommands(pgfig);
  return pgfig;
}

function shareOf(text: string): number {
  const share = Number(text);
  if (text.trim() === '' || !(share >= 0 && share <= 100))
    throw new InvalidArgumentError('Give a number from 0 to 100.');
  return share;
}

function version(): string {
  const about: { version: string } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  );
  return about.version;
}

try {
  await program().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said it all, but for what is thrown here.
    if (!error.code.startsWith('commander.')) process.stderr.write(`pgfig: ${error.message} (see --help)\n`);
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
  } else {
    process.stderr.write(`${errorText(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}
