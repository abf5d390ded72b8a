import type { Command } from 'commander';
import type { RelayOptions } from '../operator/cli/relay.js';
import { CONFIG } from './config-option.js';

const DOMAIN = 'a domain in phase dual-write, shadow-read or read-new, or one with an outbox';

/** `pgfig relay status|retry DOMAIN`: what keeps a copy in step, at work. */
export function addRelayCommands(pgfig: Command): void {
  const relay = pgfig
    .command('relay')
    .description('show how far behind a copy is, or let stalled tables be tried again');

  relay
    .command('status')
    .description('show where the relay runs, how far behind the copy is, and which tables are stalled')
    .argument('<domain>', DOMAIN)
    .option(...CONFIG)
    .option(
      '--json',
      'one JSON object {"domain","moment","lagSeconds","whole","turns","leader","outboxBytes","tables"}, with "feeds" and "feedsError" where the rule asks for feeds to Kafka',
    )
    .addHelpText(
      'after',
      `
Feeds to Kafka are asked for at the admin API of the running pgfig.

Exit codes: 0 a relay runs, all tables are in step and no feed is stalled, 1 not so, 2 wrong use, 3 a database cannot be
reached.`,
    )
    .action(async (domain: string, options: RelayOptions) => {
      process.exitCode = await (await import('../operator/cli/relay.js')).status(domain, options);
    });

  relay
    .command('retry')
    .description('let stalled tables be tried again at once')
    .argument('<domain>', DOMAIN)
    .option(...CONFIG)
    .option(
      '--json',
      'one JSON object {"tables","needBackfill"}, with "feeds" as they stood and "feedsError" where the rule asks for feeds',
    )
    .addHelpText(
      'after',
      `
The relay tries them by itself too, after 5 s and then ever more rarely. A table whose rows may have changed unseen is
not among them: it has to be copied again, which the command says. What is stalled of the domain's feeds to Kafka is tried
again too, by the running pgfig whose admin API the configuration names.

Exit codes: 0 all stalled tables are tried again, 1 some have to be copied again, or the feeds cannot be asked, 2 wrong use, 3 a database cannot be
reached.`,
    )
    .action(async (domain: string, options: RelayOptions) => {
      process.exitCode = await (await import('../operator/cli/relay.js')).retry(domain, options);
    });
}
