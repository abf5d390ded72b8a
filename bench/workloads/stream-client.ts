/** A process that sends one query and throws its result away as fast as it comes. Started by stream.ts. */
import { readTask } from './child.js';
import { type Login, login, query } from './wire-client.js';

export interface StreamTask {
  readonly through: Login;
  readonly sql: string;
}

export interface StreamTimes {
  readonly bytes: number;
  readonly seconds: number;
}

const task = await readTask<StreamTask>();
const client = await login(task.through);
const began = process.hrtime.bigint();
const bytes = await client.ask(query(task.sql));
const times: StreamTimes = { bytes, seconds: Number(process.hrtime.bigint() - began) / 1e9 };
client.end();
process.stdout.write(JSON.stringify(times));
