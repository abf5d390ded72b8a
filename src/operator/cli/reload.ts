import type { Writable } from 'node:stream';
import { z } from 'zod';
import { loadConfig } from '../../config/load.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { pendingLine } from '../../rules/transition.js';
import { adminUrl, askAdmin } from './admin-client.js';
import { EXIT, type ExitCode } from './exit-codes.js';

export interface ReloadOptions {
  readonly config: string;
  readonly json?: boolean;
}

const answerSchema = z.object({
  version: z.number(),
  loadedAt: z.coerce.date(),
  taken: z.boolean(),
  pending: z.array(z.object({ domain: z.string(), at: z.string(), reason: z.string() })),
  warnings: z.array(z.string()),
  error: z.object({ message: z.string(), hint: z.string().nullable() }).nullable(),
  workers: z.array(z.object({ worker: z.number(), rulesVersion: z.number() })),
  everywhere: z.boolean(),
});
type Answer = z.output<typeof answerSchema>;

/**
 * `pgfig reload`: has the running pgfig read certificates, users and rules again, and says what came of the rules.
 *
 * @returns 0 the rules are as the files say; 1 a change waits, or the files are refused.
 * @throws PgfigError CONFIG_INVALID, FILE_UNREADABLE; ADMIN_UNREACHABLE
 */
export async function reload(options: ReloadOptions, output: Writable = process.stdout): Promise<ExitCode> {
  const config = loadConfig(options.config);
  const url = `${adminUrl(config)}/api/reload`;
  const parsed = answerSchema.safeParse(await askAdmin(url, config.admin.token, 'POST'));
  if (!parsed.success) {
    throw new PgfigError('ADMIN_UNREACHABLE', `what answers at ${url} is not a pgfig of this version`);
  }
  const answer = parsed.data;
  output.write(options.json ? `${JSON.stringify(answer)}\n` : answerText(answer));
  return answer.error === null && answer.pending.length === 0 ? EXIT.done : EXIT.no;
}

function answerText({ version, loadedAt, taken, pending, warnings, error, workers, everywhere }: Answer): string {
  const late = workers.filter(({ rulesVersion }) => rulesVersion < version).map(({ worker }) => worker);
  const where = everywhere ? `in all workers (${workers.length})` : `but in worker ${late.join(', ')}, which is busy`;
  const lines = [
    ...(error === null ? [] : error.message.split('\n').map((line) => `refused        ${line}`)),
    ...(error === null || error.hint === null ? [] : [`hint           ${error.hint}`]),
    taken
      ? `taken          version ${version} is in effect ${where}`
      : `unchanged      version ${version} stays, in effect since ${loadedAt.toISOString()}`,
    ...pending.map((change) => `held           ${pendingLine(change)}`),
    ...warnings.map((warning) => `warning        ${warning}`),
  ];
  return `${lines.join('\n')}\n`;
}
