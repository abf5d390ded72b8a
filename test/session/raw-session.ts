import { readFileSync } from 'node:fs';
import t from 'tap';
import { encode, parseSend } from '../conversations/encode.js';
import { describe, type Message, query, RawClient } from '../hostile/raw-client.js';
import type { TestPgfig } from '../support/pgfig.js';
import { until } from './two-databases.js';

const stopped = new Set<number>();
t.teardown(() => {
  for (const pid of stopped) process.kill(pid, 'SIGCONT');
});

/** The process hears nothing, and is still there. */
export function stop(pid: number): void {
  stopped.add(pid);
  process.kill(pid, 'SIGSTOP');
}

export function goOn(pid: number): void {
  stopped.delete(pid);
  process.kill(pid, 'SIGCONT');
}

/** Bytes that wait in the sockets of a server's backends. */
export function unread(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const waiting = lines.filter(([, address, , state]) => address?.endsWith(local) && state === '01');
  return waiting.reduce((sum, fields) => sum + Number.parseInt(fields[4]?.split(':')[1] ?? '0', 16), 0);
}

/** Ends a backend, a stopped one too, and waits until pgfig knows. @param ask runs SQL on its server, past pgfig */
export async function endBackend(pgfig: TestPgfig, pid: number, ask: (sql: string) => Promise<unknown>): Promise<void> {
  const lost = (): number => pgfig.logs().split('backend failed').length;
  const before = lost();
  await ask(`SELECT pg_terminate_backend(${pid})`);
  if (stopped.has(pid)) goOn(pid);
  await until(() => lost() > before, 'the loss');
}

export async function login({ host, port }: TestPgfig): Promise<RawClient> {
  return RawClient.login({ host, port, dbname: 'shop' } as never);
}

/** The backend that serves the client's statements on a table of the shop, which has rows. */
export async function backendOf(client: RawClient, table: string): Promise<number> {
  return Number((await client.rows(`SELECT pg_backend_pid() FROM ${table} LIMIT 1`))[0]);
}

/** Messages as in conversations: `send(client, 'Bind "" "s1" []', 'Sync')`. */
export function send(client: RawClient, ...messages: readonly string[]): void {
  client.send(...messages.map((text) => encode(parseSend(text))));
}

/** One statement by the extended protocol, for `send`: its end is still to be said. */
export const extended = (sql: string): string[] => [
  `Parse "" ${JSON.stringify(sql)} []`,
  'Bind "" "" []',
  'Execute "" 0',
];

/** What comes up to ReadyForQuery, without rows and reported parameters: `E ERROR 22012 division by zero | ZE`. */
export async function answer(client: RawClient): Promise<string> {
  const messages = await client.untilReady();
  return messages
    .filter(({ type }) => !'TDS'.includes(type))
    .map(shown)
    .join(' | ');
}

const shown = (message: Message): string =>
  message.type === 'Z' ? `Z${message.body.toString('latin1')}` : describe(message);

export async function ask(client: RawClient, sql: string): Promise<string> {
  client.send(query(sql));
  return answer(client);
}
