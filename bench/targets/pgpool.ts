import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { freePort } from '../../src/embedded/postgres-server.js';
import { startDaemon } from '../harness/daemon.js';
import { findProgram, versionOf } from '../harness/programs.js';
import type { Backend, Running, Surroundings, Target } from './target.js';

/** One process for each client: more of them would measure the machine's memory, not Pgpool. */
const MOST_CHILDREN = 64;

/**
 * Pgpool-II, the other proxy that parses statements: one backend, no load balancing, no query cache. It keeps one
 * process per client, and a backend connection in each.
 */
export const pgpool: Target = {
  name: 'pgpool',
  what: 'Pgpool-II, one backend, load balancing and query cache off',
  mostClients: MOST_CHILDREN,
  version: async () => {
    const program = await findProgram('pgpool');
    return program === null ? null : versionOf(program, '--version');
  },
  start,
};

async function start(backend: Backend, around: Surroundings): Promise<Running> {
  const program = (await findProgram('pgpool')) ?? 'pgpool';
  const folder = await around.folder('pgpool');
  const port = await freePort();
  const file = path.join(folder, 'pgpool.conf');
  await writeFile(file, configuration(backend, port, await freePort(), folder));
  await writeFile(path.join(folder, 'pcp.conf'), '');
  await writeFile(path.join(folder, 'hba.conf'), '');
  const daemon = await startDaemon({
    name: 'pgpool',
    program,
    args: ['-n', '-D', '-f', file, '-F', path.join(folder, 'pcp.conf'), '-a', path.join(folder, 'hba.conf')],
    folder,
    runAs: around.runAs,
    signal: around.signal,
    stopSignal: 'SIGINT',
    port,
    login: { user: backend.user, database: backend.database },
  });
  return { host: '127.0.0.1', port, ...daemon };
}

const configuration = (backend: Backend, port: number, pcpPort: number, folder: string): string => `
backend_clustering_mode = 'raw'
listen_addresses = '127.0.0.1'
port = ${port}
unix_socket_directories = '${folder}'
pcp_listen_addresses = '127.0.0.1'
pcp_port = ${pcpPort}
pcp_socket_dir = '${folder}'
pid_file_name = '${path.join(folder, 'pgpool.pid')}'
logdir = '${folder}'
work_dir = '${folder}'
backend_hostname0 = '${backend.host}'
backend_port0 = ${backend.port}
backend_weight0 = 1
backend_flag0 = 'DISALLOW_TO_FAILOVER'
num_init_children = ${MOST_CHILDREN}
max_pool = 1
child_max_connections = 0
enable_pool_hba = off
pool_passwd = ''
load_balance_mode = off
memory_cache_enabled = off
use_watchdog = off
health_check_period = 0
sr_check_period = 0
log_connections = off
log_statement = off
`;
