import { type Command, InvalidArgumentError } from 'commander';
import type { MirrorOptions } from '../operator/cli/mirror.js';
import { CONFIG } from './config-option.js';

/** `pgfig mirror install|remove|status DOMAIN`: what keeps a copy in step, in the two databases. */
export function addMirrorCommands(pgfig: Command): void {
  const mirror = pgfig.command('mirror').description('install, remove or show what mirrors a domain');
  const patience = ['--patience <time>', 'how long a lock on a table is tried for; 2m unless told'] as const;

  mirror
    .command('install')
    .description("record the changes of the domain's tables, and guard their copy")
    .argument('<domain>', 'a domain in phase dual-write, shadow-read or read-new')
    .option(...CONFIG)
    .option(...patience, timeOf)
    .option('--json', 'one JSON object {"mirror","changed","replica"}')
    .addHelpText(
      'after',
      `
May be run again at any time: it mends what is missing, follows new partitions and keys, and upgrades. Each table is
locked against writes for a moment; while others hold it, it is tried again. docs/mirror-install.md says what is
installed and which privileges it takes.

Exit codes: 0 installed, 1 refused or no lock was to be had, 2 wrong use, 3 a database cannot be reached.`,
    )
    .action(async (domain: string, options: MirrorOptions) => {
      process.exitCode = await (await import('../operator/cli/mirror.js')).install(domain, options);
    });

  mirror
    .command('remove')
    .description('remove all of it, from both databases; the copy stays as it is, and nothing keeps it in step')
    .argument('<domain>', 'a domain')
    .option(...CONFIG)
    .option(...patience, timeOf)
    .option('--json', 'one JSON object {"released","left"}')
    .addHelpText(
      'after',
      `
The source comes first. What cannot be removed is told, with what to do; it may be run again at any time, and finishes
what is left.

Exit codes: 0 removed, 1 something is left or no lock was to be had, 2 wrong use, 3 the source cannot be reached.`,
    )
    .action(async (domain: string, options: MirrorOptions) => {
      process.exitCode = await (await import('../operator/cli/mirror.js')).remove(domain, options);
    });

  mirror
    .command('status')
    .description('show what is installed, and what stands against it')
    .argument('<domain>', 'a domain in phase dual-write, shadow-read or read-new')
    .option(...CONFIG)
    .option('--json', 'one JSON object {"domain","installed","mirror","tables","waiting","moment","problems"}')
    .addHelpText('after', '\nExit codes: 0 all is in place, 1 it is not, 2 wrong use, 3 a database cannot be reached.')
    .action(async (domain: string, options: MirrorOptions) => {
      process.exitCode = await (await import('../operator/cli/mirror.js')).status(domain, options);
    });
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

function timeOf(text: string): number {
  const [, count = '', unit = ''] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
  const factor = UNITS[unit];
  if (factor === undefined) throw new InvalidArgumentError('Give a number with ms, s, m or h.');
  return Number(count) * factor;
}
