#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { EXIT, errorText, exitCodeOf } from '../operator/cli/exit-codes.js';

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

const CONFIG = ['-c, --config <file>', 'the configuration', 'pgfig.yaml'] as const;

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

Exit codes: 0 done, 1 the answer is no, 2 wrong use or wrong configuration, 3 a database cannot be reached.`,
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
    .action(async (options: import('../operator/cli/check.js').CheckOptions) => {
      process.exitCode = await (await import('../operator/cli/check.js')).check(options);
    });
  return pgfig;
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
