import type { Logger } from 'pino';
import { hasOwnTable } from '../../backend/schema-steps.js';
import type { Config } from '../../config/config.js';
import { FEED_LOCK } from '../../events/feed/change-feed.js';
import { endConsumer } from '../../events/feed/positions.js';
import { openMirrorClient } from '../../mirror/connection.js';
import { mirrorOf } from '../../mirror/mirror.js';
import type { RuleSet } from '../../rules/rule-set.js';
import { errorFields } from '../log/logger.js';

/**
 * Releases positions of change feeds that no rule wants any more (`events:` or the brokers were taken away while pgfig
 * was down): the outbox would keep all that they have not sent, for ever. A feed that runs elsewhere keeps its own, and
 * so do domains that are not mirrored. Never rejects.
 */
export async function releaseUnwantedFeeds(config: Config, rules: RuleSet, log: Logger): Promise<void> {
  const unwanted = rules.domains
    .filter((domain) => mirrorOf(domain, rules.defaultDatabase)?.rule.capture === 'outbox')
    .filter(({ events }) => events === undefined || config.kafka === null)
    .map(({ name }) => name);
  if (unwanted.length === 0) return;
  try {
    const client = await openMirrorClient(config, rules.defaultDatabase, 'pgfig events');
    try {
      if (!(await hasOwnTable(client, 'consumers'))) return;
      const { rows } = await client.query<{ domain: string }>(
        `SELECT m.domain FROM pgfig.mirrors m
          WHERE m.domain = ANY ($2::text[]) AND EXISTS (SELECT FROM pgfig.consumers c WHERE c.mirror = m.id)
            AND pg_try_advisory_lock($1, m.id)`,
        [FEED_LOCK, unwanted],
      );
      for (const { domain } of rows) {
        await endConsumer(client, domain);
        log.warn({ domain }, 'no rule wants events of a domain any more: the position of its change feed is removed');
      }
    } finally {
      await client.end().catch(() => {});
    }
  } catch (error) {
    log.warn(errorFields(error), 'positions of change feeds that no rule wants cannot be removed');
  }
}
