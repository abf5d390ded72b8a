/** What runs in the parser's thread: a text comes in, its key and its statements go out. */
import { setTimeout } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { loadParser } from './parser.js';
import type { ThreadAnswer, ThreadRequest } from './parser-thread.js';
import { keyOf, readText } from './read-text.js';

/** A parser that is being replaced is there again after some ten milliseconds; nobody else waits in this thread. */
const TRIES = 50;
const PAUSE = 20;

const parser = await loadParser();

parentPort?.on('message', (request: ThreadRequest) => {
  void read(request).then((answer) => parentPort?.postMessage(answer));
});

async function read({ text, standardConformingStrings }: ThreadRequest): Promise<ThreadAnswer> {
  const known = keyOf(text, 0, text.length, standardConformingStrings);
  let parsed = readText(parser, known, text, 0, text.length, standardConformingStrings);
  for (let i = 0; i < TRIES && parsed.transient === true; i += 1) {
    await setTimeout(PAUSE);
    parsed = readText(parser, known, text, 0, text.length, standardConformingStrings);
  }
  return { known, parsed };
}
