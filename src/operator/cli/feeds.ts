import type { Config } from '../../config/config.js';
import { isRecord } from '../../config/yaml-file.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import type { FeedStatus } from '../../events/event.js';
import type { Domain } from '../../rules/rule-set.js';
import { adminUrl, askAdmin } from './admin-client.js';

/** What the running pgfig of this configuration knows of a domain's feeds to Kafka. */
export interface KnownFeeds {
  readonly feeds: readonly FeedStatus[];
  /** Why nothing is known of them; null: they are known, or the rule asks for none. */
  readonly error: string | null;
  /** Nothing is known to be stalled or in trouble. */
  readonly good: boolean;
}

export const hasFeeds = ({ events, outbox }: Domain): boolean => events !== undefined || outbox !== undefined;

/** @throws PgfigError CONFIG_INVALID: the token is not the right one */
export const feedsOf = (config: Config, domain: Domain): Promise<KnownFeeds> =>
  ask(domain, async () => {
    const answer = await askAdmin(`${adminUrl(config)}/api/status`, config.admin.token);
    return listOf(answer, 'events').filter((one) => one.domain === domain.name);
  });

/** Lets what is stalled be tried again. @returns the feeds as they stood before @throws as feedsOf */
export const retryFeeds = (config: Config, domain: Domain): Promise<KnownFeeds> =>
  ask(domain, async () => {
    const url = `${adminUrl(config)}/api/events/${encodeURIComponent(domain.name)}/retry`;
    return listOf(await askAdmin(url, config.admin.token, 'POST'), 'feeds');
  });

/** The relay's part is done in the databases, so that a pgfig that does not answer is told beside it. */
async function ask(domain: Domain, work: () => Promise<readonly FeedStatus[]>): Promise<KnownFeeds> {
  if (!hasFeeds(domain)) return { feeds: [], error: null, good: true };
  try {
    const feeds = await work();
    return { feeds, error: null, good: feeds.every(({ stalled, error }) => stalled.length === 0 && error === null) };
  } catch (error) {
    if (!(error instanceof PgfigError) || error.code !== 'ADMIN_UNREACHABLE') throw error;
    return { feeds: [], error: error.message, good: false };
  }
}

const listOf = (answer: unknown, key: string): readonly FeedStatus[] =>
  isRecord(answer) && Array.isArray(answer[key]) ? (answer[key] as FeedStatus[]) : [];

const NAMES: Readonly<Record<FeedStatus['kind'], string>> = { changes: 'change feed', outbox: 'outbox relay' };

/** A line for each feed and each of its stalled tables. */
export function feedRows({ feeds, error }: KnownFeeds): string {
  if (error !== null) return unknownText(error);
  return feeds
    .flatMap((feed) => [
      `${NAMES[feed.kind]}: ${stateText(feed)}${feed.error === null ? '' : `; nothing goes on: ${feed.error}`}\n`,
      ...feed.stalled.map(({ table, reason }) => `  stalled: ${table}: ${reason}\n`),
    ])
    .join('');
}

function stateText({ state, waiting }: FeedStatus): string {
  if (state === 'standby') return 'another instance runs it';
  if (state === 'starting') return 'is starting';
  return `runs here, ${waiting === null ? 'not yet counted what waits' : `${waiting} wait`}`;
}

/** What `retry` has done, a line for each feed. */
export function retriedText({ feeds, error }: KnownFeeds): string {
  if (error !== null) return unknownText(error);
  return feeds.map((feed) => `${NAMES[feed.kind]}: ${triedText(feed)}\n`).join('');
}

function triedText({ state, stalled }: FeedStatus): string {
  if (state === 'standby') return 'another instance runs it; give the command its configuration';
  return stalled.length === 0
    ? 'no table waits for another try'
    : `tried again: ${stalled.map(({ table }) => table).join(', ')}`;
}

const unknownText = (error: string): string => `feeds to Kafka: not known, ${error}\n`;
