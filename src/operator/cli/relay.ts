import type { Writable } from 'node:stream';
import Table from 'cli-table3';
import {
  MOST_WAITING,
  type RelayView,
  relayView,
  retryStalled,
  type TableView,
} from '../../mirror/relay/relay-view.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { answered, mirrorNamed } from './named-domain.js';
import { PLAIN } from './plain-table.js';

export interface RelayOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** `pgfig relay status DOMAIN` @throws PgfigError as every command of a mirror */
export async function status(
  name: string,
  options: RelayOptions,
  output: Writable = process.stdout,
): Promise<ExitCode> {
  const { config, mirror } = mirrorNamed(name, options);
  const view = await answered(() => relayView(config, mirror));
  if (options.json) output.write(`${JSON.stringify(view)}\n`);
  else output.write(view === null ? notInstalled(name) : viewText(view));
  return view?.leader != null && view.tables.every(({ state }) => state === 'in-step') ? EXIT.done : EXIT.no;
}

/** `pgfig relay retry DOMAIN` @throws PgfigError as every command of a mirror */
export async function retry(name: string, options: RelayOptions, output: Writable = process.stdout): Promise<ExitCode> {
  const { config, mirror } = mirrorNamed(name, options);
  const retried = await answered(() => retryStalled(config, mirror));
  if (options.json) output.write(`${JSON.stringify(retried)}\n`);
  else if (retried === null) output.write(notInstalled(name));
  else {
    const { tables, needBackfill } = retried;
    output.write(tables.length === 0 ? 'no table waits for another try\n' : `tried again: ${tables.join(', ')}\n`);
    for (const table of needBackfill)
      output.write(`to be copied again: ${table} (pgfig backfill ${name} --table ${table})\n`);
  }
  return retried === null || retried.needBackfill.length > 0 ? EXIT.no : EXIT.done;
}

const notInstalled = (name: string): string => `domain ${name}: nothing is installed (pgfig mirror install ${name})\n`;

function viewText({ domain, moment, lagSeconds, whole, turns, leader, outboxBytes, tables }: RelayView): string {
  const table = new Table(PLAIN);
  table.push(['table', 'state', 'waiting', 'reason'], ...tables.map(tableRow));
  return [
    `domain ${domain}: the copy is as of ${moment}, ${lagSeconds.toFixed(1)} s ago${whole ? '' : ', and is catching up'}`,
    `relay: ${leader ?? 'runs nowhere (pgfig serve runs it)'}; turns: ${turns}`,
    `outbox: ${(outboxBytes / 1_048_576).toFixed(1)} MiB`,
    table.toString(),
    '',
  ].join('\n');
}

function tableRow({ table, state, waiting, reason, remedy, backfill }: TableView): string[] {
  const count = waiting === MOST_WAITING ? `${waiting} or more` : String(waiting);
  const copied = backfill === null ? '' : `${backfill.rows} of about ${backfill.estimate} rows, pass ${backfill.pass}`;
  const why = reason === null ? (state === 'backfill' ? copied : '') : `${reason} (mended by: ${remedy ?? 'retry'})`;
  return [table, state, count, why];
}
