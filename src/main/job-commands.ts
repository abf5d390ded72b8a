import { type Command, CommanderError, InvalidArgumentError } from 'commander';
import { EXIT } from '../operator/cli/exit-codes.js';
import type { BackfillOptions, JobOptions, VerifyOptions } from '../operator/cli/jobs.js';
import { CONFIG } from './config-option.js';

const DOMAIN = [
  '<domain>',
  'a domain in phase dual-write, shadow-read or read-new, mirrored by pgfig mirror install',
] as const;
const WHERE = `
The job is stored in the control database and run by the pgfig that leads the domain; where none runs, by this command.
Ctrl-C cancels it.
`;
const CODES = 'Exit codes: 0 done, 1 the answer is no, 2 wrong use, 3 a database cannot be reached.';

/** The commands that copy and compare: backfill, verify, repair. */
export function addJobCommands(pgfig: Command): void {
  addBackfill(pgfig);
  addVerify(pgfig);
  pgfig
    .command('repair')
    .description('make the rows equal that verify has found to diverge, as the source has them')
    .argument(...DOMAIN)
    .option(...CONFIG)
    .option('--table <table>', 'only this one')
    .option('--json', 'one JSON object {"job","state","result","error"}')
    .addHelpText('after', `${WHERE}\n${CODES} 1: some rows still diverge.`)
    .action(async (domain: string, options: JobOptions) => {
      process.exitCode = await (await import('../operator/cli/jobs.js')).repair(domain, options);
    });
}

function addBackfill(pgfig: Command): void {
  pgfig
    .command('backfill')
    .description("copy the domain's rows to their new database, while they are written")
    .argument(...DOMAIN)
    .option(...CONFIG)
    .option('--resume', 'go on with what was begun')
    .option('--overwrite', 'replace what the target has, row by row')
    .option('--table <table>', 'only this one')
    .option('--rate <rows/s>', 'copy so many rows a second at most', (text) => number(text, 1, 'rows a second'))
    .option('--max-load <sessions>', 'pause while more sessions than this are active on the source', (text) =>
      number(text, 0, 'sessions'),
    )
    .option('--jobs <tables>', 'tables that are copied at a time', (text) => number(text, 1, 'tables'), 2)
    .option('--json', 'one JSON object {"job","state","result","error"}')
    .addHelpText(
      'after',
      `${WHERE}
Before the first row it is checked that the target's tables fit, that they are empty, and that their sequences are
there. It pauses while a standby of the source is more than 10 s behind.

${CODES} 1: refused, failed or canceled.

Examples:
  pgfig backfill orders
  pgfig backfill orders --rate 5000 --max-load 20
  pgfig backfill orders --resume`,
    )
    .action(async (domain: string, options: BackfillOptions) => {
      if (options.resume && options.overwrite)
        throw new CommanderError(EXIT.wrongUse, 'resume', 'give --resume or --overwrite, not both');
      process.exitCode = await (await import('../operator/cli/jobs.js')).backfill(domain, options);
    });
}

function addVerify(pgfig: Command): void {
  pgfig
    .command('verify')
    .description('compare both copies of the domain at one moment, down to rows and columns')
    .argument(...DOMAIN)
    .option(...CONFIG)
    .option('--sample <share>', 'compare only this share of each table, as 5%', shareOf)
    .option('--table <table>', 'only this one')
    .option('--values', 'store and show the values that differ')
    .option('--json', 'one JSON object {"job","state","result","error","divergences"}')
    .addHelpText('after', `${WHERE}\n${CODES} 1: something diverges, or could not be compared.`)
    .action(async (domain: string, options: VerifyOptions) => {
      process.exitCode = await (await import('../operator/cli/jobs.js')).verify(domain, options);
    });
}

function number(text: string, least: number, what: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > 1e9)
    throw new InvalidArgumentError(`Give a whole number of ${what}, ${least} or more.`);
  return value;
}

function shareOf(text: string): number {
  const [, digits = ''] = /^(\d+(?:\.\d+)?) ?%$/.exec(text) ?? [];
  const share = Number(digits);
  if (digits === '' || share <= 0 || share > 100)
    throw new InvalidArgumentError('Give a share as 5%, above 0% and up to 100%.');
  return share;
}
