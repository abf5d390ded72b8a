import type { Writable } from 'node:stream';
import Table from 'cli-table3';
import type { Config } from '../../config/config.js';
import { type Mirror, mirrorOf } from '../../mirror/mirror.js';
import {
  MOST_WAITING,
  type RelayView,
  type Retried,
  relayView,
  retryStalled,
  type TableView,
} from '../../mirror/relay/relay-view.js';
import type { Domain } from '../../rules/rule-set.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { feedRows, feedsOf, hasFeeds, type KnownFeeds, retriedText, retryFeeds } from './feeds.js';
import { answered, domainNamed, mirrorNamed } from './named-domain.js';
import { PLAIN } from './plain-table.js';

export interface RelayOptions {
  readonly config: string;
  readonly json?: boolean;
}

interface Named {
  readonly config: Config;
  readonly domain: Domain;
  /** null: nothing is mirrored in its phase, but its outbox tables are relayed. */
  readonly mirror: Mirror | null;
}

/** `pgfig relay status DOMAIN` @throws PgfigError as every command of a mirror */
export async function status(
  name: string,
  options: RelayOptions,
  output: Writable = process.stdout,
): Promise<ExitCode> {
  const { config, domain, mirror } = named(name, options);
  const view = mirror === null ? null : await answered(() => relayView(config, mirror));
  const known = await feedsOf(config, domain);
  if (options.json) output.write(`${JSON.stringify(statusJson(view, domain, known))}\n`);
  else {
    if (mirror !== null) output.write(view === null ? notInstalled(name) : viewText(view));
    output.write(feedRows(known));
  }
  const inStep = view?.leader != null && view.tables.every(({ state }) => state === 'in-step');
  return (inStep || mirror === null) && known.good ? EXIT.done : EXIT.no;
}

/** `pgfig relay retry DOMAIN` @throws PgfigError as every command of a mirror */
export async function retry(name: string, options: RelayOptions, output: Writable = process.stdout): Promise<ExitCode> {
  const { config, domain, mirror } = named(name, options);
  const retried = mirror === null ? null : await answered(() => retryStalled(config, mirror));
  const known = await retryFeeds(config, domain);
  if (options.json) output.write(`${JSON.stringify(retryJson(retried, domain, known))}\n`);
  else {
    if (mirror !== null) output.write(retried === null ? notInstalled(name) : relayRetriedText(name, retried));
    output.write(retriedText(known));
  }
  const relayed = mirror === null || retried?.needBackfill.length === 0;
  return relayed && known.error === null ? EXIT.done : EXIT.no;
}

/** @throws as mirrorNamed, where neither a relay nor a feed has anything to do with the domain */
function named(name: string, options: RelayOptions): Named {
  const { config, domain } = domainNamed(name, options);
  const mirror = mirrorOf(domain, config.default);
  if (mirror === null && domain.outbox === undefined)
    return { config, domain, mirror: mirrorNamed(name, options).mirror };
  return { config, domain, mirror };
}

/** Where the rule asks for no feed, the object is that of the relay alone. */
const statusJson = (view: RelayView | null, domain: Domain, { feeds, error }: KnownFeeds): object | null =>
  hasFeeds(domain) ? { ...(view ?? { domain: domain.name }), feeds, feedsError: error } : view;

const retryJson = (retried: Retried | null, domain: Domain, { feeds, error }: KnownFeeds): object | null =>
  hasFeeds(domain) ? { ...retried, feeds, feedsError: error } : retried;

function relayRetriedText(name: string, { tables, needBackfill }: Retried): string {
  return [
    tables.length === 0 ? 'no table waits for another try\n' : `tried again: ${tables.join(', ')}\n`,
    ...needBackfill.map((table) => `to be copied again: ${table} (pgfig backfill ${name} --table ${table})\n`),
  ].join('');
}

const notInstalled = (name: string): string => `domain ${name}: nothing is installed (pgfig mirror install ${name})\n`;

function viewText({ domain, moment, lagSeconds, whole, turns, leader, outboxBytes, tables }: RelayView): string {
  const table = new Table(PLAIN);
  table.push(['table', 'state', 'waiting', 'reason'], ...tables.map((view) => tableRow(domain, view)));
  return [
    `domain ${domain}: the copy is as of ${moment}, ${lagSeconds.toFixed(1)} s ago${whole ? '' : ', and is catching up'}`,
    `relay: ${leader ?? 'runs nowhere (pgfig serve runs it)'}; turns: ${turns}`,
    `outbox: ${(outboxBytes / 1_048_576).toFixed(1)} MiB`,
    table.toString(),
    '',
  ].join('\n');
}

function tableRow(domain: string, { table, state, waiting, reason, remedy, backfill }: TableView): string[] {
  const count = waiting === MOST_WAITING ? `${waiting} or more` : String(waiting);
  const copied = backfill === null ? '' : `${backfill.rows} of about ${backfill.estimate} rows, pass ${backfill.pass}`;
  const notes: Readonly<Record<string, string>> = { new: `not copied yet: pgfig backfill ${domain}`, backfill: copied };
  const why = reason === null ? (notes[state] ?? '') : `${reason} (mended by: ${remedy ?? 'retry'})`;
  return [table, state, count, why];
}
