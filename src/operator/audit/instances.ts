import { connectPg } from '../../backend/pg-client.js';
import type { Config } from '../../config/config.js';
import { isRecord } from '../../config/yaml-file.js';
import { askAdmin } from '../cli/admin-client.js';
import type { Activity } from '../matrix/activity.js';
import { readActivities } from '../matrix/activity-rows.js';
import { TableActivity } from '../matrix/table-activity.js';

/** When the server counts a statement, its answer may still be on its way to pgfig. */
const LAG_MS = 500;

/** The running instances of pgfig, as far as they answer. */
export interface Instances {
  readonly answering: readonly string[];
  /** Why not all of them answer, so that their sessions are not known; null: they do. */
  readonly silence: string | null;
  /** Why not all that they have counted is stored; null: it is. */
  readonly unstored: string | null;
}

/** Has every instance store what it has counted. Never throws. */
export async function flushAll(config: Config, urls: readonly string[]): Promise<Instances> {
  const answers = await Promise.all(urls.map((url) => flush(config, url)));
  const silence = answers.find(({ reached }) => !reached)?.failure ?? null;
  return {
    answering: urls.filter((_, at) => answers[at]?.reached),
    silence,
    unstored: answers.find(({ failure }) => failure !== null)?.failure ?? null,
  };
}

async function flush(config: Config, url: string): Promise<{ reached: boolean; failure: string | null }> {
  try {
    const answer = await askAdmin(`${url}/api/matrix/flush`, config.admin.token, 'POST');
    if (isRecord(answer) && answer.flushed === true) return { reached: true, failure: null };
    const why = isRecord(answer) ? String(answer.error) : 'the answer is none of pgfig';
    return { reached: true, failure: `the pgfig at ${new URL(url).host} does not store its matrix: ${why}` };
  } catch (error) {
    return { reached: false, failure: error instanceof Error ? error.message : String(error) };
  }
}

export interface Compared {
  readonly activities: readonly Activity[];
  readonly notices: readonly string[];
}

/**
 * The counters of the servers, compared now where all instances have stored their matrix; otherwise as they were last
 * compared. Never throws: without them an audit knows less.
 */
export async function compareNow(config: Config, { answering, unstored }: Instances): Promise<Compared> {
  try {
    if (unstored !== null) {
      const notice = `${unstored}; services are as last stored, and the counters of the servers as last compared`;
      return { activities: await stored(config), notices: [notice] };
    }
    const { activities } = await new TableActivity(config).compare({
      flush: async () => {
        const again = await flushAll(config, answering);
        if (again.unstored !== null) throw new Error(again.unstored);
      },
      ...{ patience: 0, lag: LAG_MS, renew: false },
    });
    return { activities, notices: [] };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { activities: [], notices: [`the counters of the servers cannot be compared: ${why}`] };
  }
}

async function stored(config: Config): Promise<readonly Activity[]> {
  const client = await connectPg(config, config.control, 'pgfig audit');
  try {
    await client.query('SET search_path = pg_catalog');
    return await readActivities(client);
  } finally {
    await client.end().catch(() => {});
  }
}
