import type { Config } from '../../config/config.js';
import { isRecord } from '../../config/yaml-file.js';
import type { BackendsReport } from '../backends-report.js';
import { askAdmin } from '../cli/admin-client.js';

/** Which processes of the servers work for pgfig, as several instances have told. */
export interface HeldPids {
  /** Server, as host:port -> pids whose statements are routed and counted. */
  readonly routed: ReadonlyMap<string, ReadonlySet<number>>;
  readonly passedThrough: ReadonlyMap<string, ReadonlySet<number>>;
}

/** Pids are those of a server, which may hold several databases. */
export function serverOf(config: Config, database: string): string {
  const { host, port } = config.databases.get(database) ?? { host: '', port: 0 };
  return `${host}:${port}`;
}

/**
 * Asks each admin API. Names of databases are taken to mean what they mean here: a fleet shares its pgfig.yaml.
 * @throws PgfigError ADMIN_UNREACHABLE, CONFIG_INVALID (the token); Error where the answer is not whole
 */
export async function heldPids(config: Config, urls: readonly string[]): Promise<HeldPids> {
  const routed = new Map<string, Set<number>>();
  const passedThrough = new Map<string, Set<number>>();
  for (const url of urls) {
    const report = await askAdmin(`${url}/api/backends`, config.admin.token);
    if (!isReport(report)) throw new Error(`the admin API at ${new URL(url).host} does not know all of its sessions`);
    add(config, routed, report.routed);
    add(config, passedThrough, report.passedThrough);
  }
  return { routed, passedThrough };
}

const isReport = (answer: unknown): answer is BackendsReport =>
  isRecord(answer) && answer.complete === true && isRecord(answer.routed) && isRecord(answer.passedThrough);

function add(config: Config, to: Map<string, Set<number>>, pids: BackendsReport['routed']): void {
  for (const [database, some] of Object.entries(pids)) {
    const server = serverOf(config, database);
    const known = to.get(server) ?? new Set<number>();
    to.set(server, known);
    for (const pid of some) known.add(pid);
  }
}
