import { parseSend, type Send } from './encode.js';

/**
 * A conversation file, line by line:
 *
 *   # text                        a comment; `# split: skip WHY` leaves it out when tables are split
 *   -> Query "SELECT 1"           sends a message; `->` lines that follow one another go in one write
 *   b-> Query "SELECT 1"          the same on a second connection named b
 *   -> Cancel                     a CancelRequest for this connection
 *   <- until ReadyForQuery x2     takes messages up to the second ReadyForQuery; `until close` also exists
 *      DataRow "1"                what bare Postgres answers, one message a line (written by --update)
 *      pgfig| ErrorResponse ...   what pgfig answers instead, where that differs by design
 *      split| ErrorResponse ...   the same, only for tables that are split over two databases
 *
 * A line of those two kinds that ends in * matches any rest.
 */
export interface Script {
  readonly name: string;
  readonly lines: readonly string[];
  readonly steps: readonly Step[];
  /** Why the file is not played with split tables; null: it is. */
  readonly splitSkipped: string | null;
}

export type Step =
  | { readonly kind: 'send'; readonly on: string; readonly sends: readonly Send[] }
  | { readonly kind: 'cancel'; readonly on: string }
  | Expect;

/** Who answers: Postgres, pgfig with every table in one database, or pgfig with tables in two. */
export type Player = 'postgres' | 'pgfig' | 'split';

export interface Expect {
  readonly kind: 'expect';
  readonly on: string;
  readonly name: string;
  readonly count: number;
  readonly expected: Readonly<Record<Player, readonly string[]>>;
  /** Index of the `<-` line in `lines`. */
  readonly at: number;
}

const SEND = /^(\w*)-> (.*)$/;
const EXPECT = /^(\w*)<- until (\w+)(?: x(\d+))?$/;
const OTHERWISE = /^(pgfig|split)\| (.*)$/;

/** @throws Error with file and line for what is not of this format */
export function parseScript(name: string, text: string): Script {
  const lines = text.replace(/\n+$/, '').split('\n');
  const steps: Step[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (line === '' || line.startsWith('#')) continue;
    const send = SEND.exec(line);
    const expect = EXPECT.exec(line);
    if (send !== null) addSend(steps, send[1] ?? '', send[2] ?? '');
    else if (expect !== null) {
      const answers = indentedAfter(lines, at);
      steps.push({
        kind: 'expect',
        on: expect[1] ?? '',
        name: expect[2] ?? '',
        count: Number(expect[3] ?? 1),
        expected: expectedOf(answers),
        at,
      });
      at += answers.length;
    } else throw new Error(`${name}:${at + 1}: not a line of a conversation: ${line}`);
  }
  const skipped = lines.map((line) => /^# split: skip\b[ :]*(.*)$/.exec(line)?.[1]).find((why) => why !== undefined);
  return { name, lines, steps, splitSkipped: skipped ?? null };
}

/** The file again, with the answers that bare Postgres gave, one list per expectation. */
export function withAnswers(script: Script, answers: ReadonlyMap<Expect, readonly string[]>): string {
  const lines = [...script.lines];
  for (const [step, given] of [...answers].reverse()) {
    const old = indentedAfter(lines, step.at);
    const kept = old.filter((line) => OTHERWISE.test(line));
    lines.splice(step.at + 1, old.length, ...[...given, ...kept].map((line) => `   ${line}`));
  }
  return `${lines.join('\n')}\n`;
}

function expectedOf(answers: readonly string[]): Expect['expected'] {
  const of = (player: string) =>
    answers.flatMap((answer) => {
      const [, who, line = ''] = OTHERWISE.exec(answer) ?? [];
      return who === player ? [line] : [];
    });
  const postgres = answers.filter((answer) => !OTHERWISE.test(answer));
  const pgfig = of('pgfig').length > 0 ? of('pgfig') : postgres;
  return { postgres, pgfig, split: of('split').length > 0 ? of('split') : pgfig };
}

function addSend(steps: Step[], on: string, text: string): void {
  if (text === 'Cancel') {
    steps.push({ kind: 'cancel', on });
    return;
  }
  const last = steps.at(-1);
  const sends = last?.kind === 'send' && last.on === on ? [...last.sends, parseSend(text)] : [parseSend(text)];
  if (sends.length > 1) steps.pop();
  steps.push({ kind: 'send', on, sends });
}

function indentedAfter(lines: readonly string[], at: number): string[] {
  const found: string[] = [];
  for (let next = at + 1; lines[next]?.startsWith('   '); next++) found.push((lines[next] ?? '').slice(3));
  return found;
}
