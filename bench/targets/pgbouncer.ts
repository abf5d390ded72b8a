import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { freePort } from '../../src/embedded/postgres-server.js';
import { startDaemon } from '../harness/daemon.js';
import { findProgram, versionOf } from '../harness/programs.js';
import type { Backend, Running, Surroundings, Target } from './target.js';

/** PgBouncer as its users run it with sessions: one process, session pooling, its default reset query. */
export const pgbouncer: Target = {
  name: 'pgbouncer',
  what: 'PgBouncer, pool_mode = session',
  version: async () => {
    const program = await findProgram('pgbouncer');
    return program === null ? null : versionOf(program, '--version');
  },
  start,
};

async function start(backend: Backend, around: Surroundings): Promise<Running> {
  const program = (await findProgram('pgbouncer')) ?? 'pgbouncer';
  const folder = await around.folder('pgbouncer');
  const port = await freePort();
  const file = path.join(folder, 'pgbouncer.ini');
  await writeFile(path.join(folder, 'users.txt'), `"${backend.user}" ""\n`);
  await writeFile(file, configuration(backend, around.clients, port, folder));
  const daemon = await startDaemon({
    name: 'pgbouncer',
    program,
    args: [file],
    folder,
    runAs: around.runAs,
    signal: around.signal,
    // SIGINT would wait for clients to leave.
    stopSignal: 'SIGTERM',
    port,
    login: { user: backend.user, database: backend.database },
  });
  return { host: '127.0.0.1', port, ...daemon };
}

const configuration = (backend: Backend, clients: number, port: number, folder: string): string => `[databases]
* = host=${backend.host} port=${backend.port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${path.join(folder, 'users.txt')}
pool_mode = session
max_client_conn = ${clients + 100}
default_pool_size = ${clients}
log_connections = 0
log_disconnections = 0
log_stats = 0
`;
