import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Config } from '../../config/config.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { buildRuleSet } from '../../rules/build.js';
import { PHASES } from '../../rules/phases.js';
import type { RuleSet } from '../../rules/rule-set.js';
import { adminUrl, askAdmin } from './admin-client.js';

/** What a running pgfig routes by, from its /api/rules. */
export interface RunningRules {
  /** The address asked, or the file read. */
  readonly from: string;
  readonly rules: RuleSet;
  /** Names of all databases that it has. */
  readonly knownDatabases: readonly string[];
}

const domainSchema = z.object({
  name: z.string(),
  database: z.string(),
  tables: z.array(z.string()),
  phase: z.enum(PHASES),
  owner: z.string().nullable(),
  crossDatabase: z.literal('refuse'),
  file: z.string(),
  mirror: z
    .object({
      capture: z.enum(['outbox', 'statement', 'none']),
      apply: z.enum(['sync', 'async']),
      syncTimeout: z.number(),
      statementTimeout: z.number(),
      guard: z.enum(['on', 'off']),
    })
    .exactOptional(),
  reads: z.object({ new: z.number(), services: z.array(z.string()) }).exactOptional(),
  shadow: z.object({ sample: z.number() }).exactOptional(),
  events: z
    .object({
      topic: z.string().nullable(),
      per: z.enum(['domain', 'table']),
      envelope: z.enum(['plain', 'cloudevents', 'debezium']),
    })
    .exactOptional(),
  outbox: z
    .object({
      tables: z.array(z.string()),
      publish: z.boolean(),
      columns: z.object({
        id: z.string(),
        aggregateType: z.string().nullable(),
        aggregateId: z.string(),
        type: z.string(),
        payload: z.string(),
        order: z.string().nullable(),
        sentAt: z.string(),
      }),
      topic: z.string(),
      after: z.enum(['delete', 'mark']),
      envelope: z.enum(['plain', 'cloudevents']),
    })
    .exactOptional(),
});

const answerSchema = z.object({
  version: z.number(),
  loadedAt: z.coerce.date(),
  defaultDatabase: z.string(),
  knownDatabases: z.array(z.string()),
  domains: z.array(domainSchema),
});

/**
 * @param against url of an admin API (with or without /api/rules), or the path of a file with a saved answer; without
 *   it, the admin API of the configuration is asked.
 * @throws PgfigError ADMIN_UNREACHABLE, CONFIG_INVALID (token, or a file that holds something else), FILE_UNREADABLE
 */
export async function runningRules(config: Config, against: string | undefined): Promise<RunningRules> {
  const from = against ?? adminUrl(config);
  const isUrl = /^https?:\/\//.test(from);
  const answer = isUrl ? await askAdmin(rulesUrl(from), config.admin.token) : readSaved(from);
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success) {
    const hint = 'Save one with: curl http://HOST:PORT/api/rules > rules.json';
    if (!isUrl)
      throw new PgfigError('CONFIG_INVALID', `the file ${from} does not hold an answer of /api/rules`, { hint });
    throw new PgfigError('ADMIN_UNREACHABLE', `what answers at ${rulesUrl(from)} is not a pgfig of this version`);
  }
  const { domains, defaultDatabase, version, loadedAt, knownDatabases } = parsed.data;
  return { from, rules: buildRuleSet(domains, { defaultDatabase, version, loadedAt }), knownDatabases };
}

function rulesUrl(url: string): string {
  const whole = new URL(url);
  if (whole.pathname === '/') whole.pathname = '/api/rules';
  return whole.href;
}

function readSaved(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
    throw new PgfigError('FILE_UNREADABLE', `${file} cannot be read (${code})`, {
      hint: 'Give --against a url such as http://127.0.0.1:6433, or a file with a saved answer of /api/rules.',
      cause,
    });
  }
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
