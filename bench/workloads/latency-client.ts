/** A process that times single statements through several targets in turn. Started by latency.ts. */
import { readTask } from './child.js';
import { type Login, login, message, type WireClient } from './wire-client.js';

export interface LatencyTask {
  readonly protocol: 'simple' | 'extended' | 'prepared';
  readonly targets: Readonly<Record<string, Login>>;
  /** Statements to time on each target. */
  readonly statements: number;
  /** Accounts in pgbench's table; each statement reads one. */
  readonly accounts: number;
}

/** target -> microseconds of each statement, in the order in which they ran */
export type LatencyTimes = Readonly<Record<string, readonly number[]>>;

/** Statements in a row on one target: enough that most find its path warm, few enough that drift hits all alike. */
const TURN = 25;
const WARM_UP = 200;
const SQL = 'SELECT abalance FROM pgbench_accounts WHERE aid = ';

const task = await readTask<LatencyTask>();
const buffer = Buffer.allocUnsafeSlow(64 * 1024);
const clients: { name: string; client: WireClient; times: number[] }[] = [];
for (const [name, target] of Object.entries(task.targets)) {
  const client = await login(target, buffer);
  if (task.protocol === 'prepared') await client.ask(Buffer.concat([parse('s', `${SQL}$1`), sync()]));
  for (let i = 0; i < WARM_UP; i++) await client.ask(request(task.protocol, account()));
  clients.push({ name, client, times: [] });
}
for (let done = 0; done < task.statements; done += TURN) {
  for (const { client, times } of clients) {
    for (let i = 0; i < TURN; i++) {
      const bytes = request(task.protocol, account());
      const began = process.hrtime.bigint();
      await client.ask(bytes);
      times.push(Number(process.hrtime.bigint() - began) / 1e3);
    }
  }
  clients.push(...clients.splice(0, 1));
}
for (const { client } of clients) client.end();
const times: LatencyTimes = Object.fromEntries(clients.map((entry) => [entry.name, entry.times]));
process.stdout.write(JSON.stringify(times));

function account(): number {
  return 1 + Math.floor(Math.random() * task.accounts);
}

function request(protocol: LatencyTask['protocol'], aid: number): Buffer {
  if (protocol === 'simple') return message('Q', `${SQL}${aid}\0`);
  if (protocol === 'prepared') return Buffer.concat([bind('s', aid), execute(), sync()]);
  return Buffer.concat([parse('', `${SQL}$1`), bind('', aid), execute(), sync()]);
}

/** Parse: name, text, int16 number of parameter types. */
function parse(name: string, sql: string): Buffer {
  return message('P', Buffer.from(`${name}\0${sql}\0\0\0`));
}

/** Bind: portal, statement, no formats, one parameter in text, no result formats. */
function bind(name: string, value: number): Buffer {
  const text = Buffer.from(String(value));
  const head = Buffer.from(`\0${name}\0\0\0\0\x01\0\0\0`);
  return message('B', Buffer.concat([head, Buffer.from([text.length]), text, Buffer.from([0, 0])]));
}

/** Execute: the unnamed portal, all rows. */
function execute(): Buffer {
  return message('E', Buffer.alloc(5));
}

function sync(): Buffer {
  return message('S', '');
}
