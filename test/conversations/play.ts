import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Expect, parseScript, type Script } from './script.js';
import { type Endpoint, SILENCE, WireClient } from './wire-client.js';

/** Where the conversation files are: in the source tree, tests run from the build. */
export const FILES = fileURLToPath(new URL('../../../test/conversations/files/', import.meta.url));

export function readScripts(): Script[] {
  const names = readdirSync(FILES).filter((name) => name.endsWith('.txt'));
  return names.sort().map((name) => parseScript(name, readFileSync(`${FILES}${name}`, 'utf8')));
}

/**
 * Plays a conversation and gives what was answered at each expectation. Messages that come after the
 * last one stand at the end of its list.
 * @param chunk bytes per write of the client; 0: each run of `->` lines in one write
 */
export async function play(script: Script, endpoint: Endpoint, chunk = 0): Promise<Map<Expect, string[]>> {
  const clients = new Map<string, WireClient>();
  const answers = new Map<Expect, string[]>();
  const last = new Map<string, string[]>();
  try {
    for (const step of script.steps) {
      const client = clients.get(step.on) ?? (await open(script, endpoint, step.on, chunk));
      clients.set(step.on, client);
      if (step.kind === 'send') await client.send(step.sends);
      else if (step.kind === 'cancel') await client.cancel(endpoint);
      else {
        const lines = (await client.until(step.name, step.count)).map((message) => message.line);
        answers.set(step, lines);
        last.set(step.on, lines);
        // What follows would only be the same silence, at length.
        if (lines.at(-1) === SILENCE) break;
      }
    }
  } finally {
    for (const [on, client] of clients) {
      await client.end();
      const extra = client.leftover().filter((message) => message.name !== 'close');
      last.get(on)?.push(...extra.map((message) => `(not asked for) ${message.line}`));
    }
  }
  return answers;
}

/** Whether a line reads as expected; an expected line that ends in * matches any rest. */
export function reads(line: string | undefined, expected: string | undefined): boolean {
  if (line === undefined || expected === undefined) return line === expected;
  return expected.endsWith('*') ? line.startsWith(expected.slice(0, -1)) : line === expected;
}

/** Logs in, unless the conversation itself begins with what comes before the login. */
async function open(script: Script, endpoint: Endpoint, on: string, chunk: number): Promise<WireClient> {
  const client = await WireClient.connect(endpoint, chunk);
  const first = script.steps.find((step) => step.kind === 'send' && step.on === on);
  const message = first?.kind === 'send' ? first.sends[0]?.message : undefined;
  if (['Startup', 'SSLRequest', 'GSSENCRequest', 'Raw'].includes(message ?? '')) return client;
  await client.send([{ message: 'Startup', values: [{ user: endpoint.user, database: endpoint.database }] }]);
  const welcome = await client.until('ReadyForQuery');
  if (welcome.at(-1)?.name !== 'ReadyForQuery') {
    throw new Error(`login failed: ${welcome.map((each) => each.line).join(' | ')}`);
  }
  return client;
}
