import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { FILES, play, readScripts, reads } from './play.js';
import { type Expect, type Player, type Script, withAnswers } from './script.js';
import { bareTarget, oneDatabaseTarget, splitTarget, type Target } from './targets.js';

const USAGE = `node build/test/conversations/run.js [--target postgres|pgfig|split] [--update] [--chunk BYTES] [FILE...]
Plays conversation files (parts of their names) and shows where the answers differ from the file.
--update writes the answers of bare Postgres into the files.`;

/** A report of every line that does not read as the file says; empty when all do. */
function differences(script: Script, answers: ReadonlyMap<Expect, readonly string[]>, player: Player): string[] {
  return [...answers].flatMap(([step, given]) => {
    const expected = step.expected[player];
    const length = Math.max(given.length, expected.length);
    return Array.from({ length }, (_, index) => [given[index], expected[index]] as const)
      .filter(([line, wanted]) => !reads(line, wanted))
      .map(([line, wanted]) => `${script.name}:${step.at + 1}\n  - ${wanted ?? ''}\n  + ${line ?? ''}`);
  });
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      target: { type: 'string', default: 'postgres' },
      update: { type: 'boolean', default: false },
      chunk: { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  const makers: Record<Player, () => Promise<Target>> = {
    postgres: () => bareTarget(),
    pgfig: oneDatabaseTarget,
    split: splitTarget,
  };
  const player = (['postgres', 'pgfig', 'split'] as const).find((each) => each === values.target);
  if (values.help || player === undefined || (values.update && player !== 'postgres')) {
    console.log(USAGE);
    return 2;
  }
  const target = await makers[player]();
  let failed = 0;
  const scripts = readScripts().filter(({ name }) => positionals.every((part) => name.includes(part)));
  for (const script of scripts) {
    if (player === 'split' && script.splitSkipped !== null) continue;
    await target.reset();
    const answers = await play(script, target.endpoint, Number(values.chunk));
    if (values.update) writeFileSync(`${FILES}${script.name}`, withAnswers(script, answers));
    const found = values.update ? [] : differences(script, answers, player);
    if (found.length > 0) failed++;
    for (const difference of found) console.log(difference);
  }
  console.log(`${scripts.length} conversations, ${failed} read differently`);
  return failed === 0 ? 0 : 1;
}

// The servers stop with this process (their watchdogs see to it).
process.exit(await main());
