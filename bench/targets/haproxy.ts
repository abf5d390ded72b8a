import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { freePort } from '../../src/embedded/postgres-server.js';
import { startDaemon } from '../harness/daemon.js';
import { findProgram, versionOf } from '../harness/programs.js';
import type { Backend, Running, Surroundings, Target } from './target.js';

/** HAProxy as a plain TCP relay: it reads nothing of the protocol, and so shows what moving the bytes alone costs. */
export const haproxy: Target = {
  name: 'haproxy',
  what: 'HAProxy, mode tcp',
  version: async () => {
    const program = await findProgram('haproxy');
    return program === null ? null : versionOf(program, '-v');
  },
  start,
};

async function start(backend: Backend, around: Surroundings): Promise<Running> {
  const program = (await findProgram('haproxy')) ?? 'haproxy';
  const folder = await around.folder('haproxy');
  const port = await freePort();
  const file = path.join(folder, 'haproxy.cfg');
  await writeFile(file, configuration(backend, around.clients, port));
  const daemon = await startDaemon({
    name: 'haproxy',
    program,
    args: ['-db', '-f', file],
    folder,
    runAs: around.runAs,
    signal: around.signal,
    stopSignal: 'SIGTERM',
    port,
    login: { user: backend.user, database: backend.database },
  });
  return { host: '127.0.0.1', port, ...daemon };
}

const configuration = (backend: Backend, clients: number, port: number): string => `global
  maxconn ${clients + 100}
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen postgres
  bind 127.0.0.1:${port}
  server backend ${backend.host}:${backend.port}
`;
