import { makeCorpus } from './corpus/index.js';
import { readCaseFiles } from './helpers.js';

/** Statements as they are written: the corpus and those of the cases. */
export const STATEMENTS: readonly string[] = [
  ...(await makeCorpus()).flatMap(({ statements }) => statements),
  ...readCaseFiles().flatMap(({ text }) =>
    [...text.matchAll(/^- sql: (".*")$/gm)].map((match) => JSON.parse(match[1] ?? '""') as string),
  ),
];

/** Pieces that change most of what a text means. */
const PIECES = [
  ...[...'\'"$;,()[].:=*/-+\\\n '],
  ...["''", "E'", "U&'", '$$', '$a$', '--', '/*', '*/', '::', '..', '$1', '0x', '1e', '1_0', '99999999999', "'\\'"],
  ...['select', 'values', 'insert into', 'merge', 'from', 'where', 'with', 'as', 'null', 'default', 'union', 'float('],
  ...["nextval('s')", "'t'::regclass", "set_config('a', 'b', true)", 'values (1),(2)', ', (1)', 'é', '\u{1f600}'],
];

/** A generator of numbers that gives the same ones for the same seed (Marsaglia's xorshift32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  /** A whole number from 0 up to, not including, `sides`. */
  roll(sides: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % sides;
  }

  pick<T>(of: readonly T[]): T {
    return of[this.roll(of.length)] as T;
  }
}

const tokensOf = (sql: string): string[] => sql.match(/\s+|[\w$]+|'[^']*'|"[^"]*"|[^\s\w]/gu) ?? [];

/** A statement with one to three things changed, in UTF-8 for the most part; without a NUL. */
export function mutant(dice: Dice): Buffer {
  const tokens = tokensOf(dice.pick(STATEMENTS));
  for (let changes = 1 + (dice.roll(2) === 0 ? dice.roll(3) : 0); changes > 0; changes -= 1) mutate(tokens, dice);
  const bytes = Buffer.from(tokens.join(''));
  if (dice.roll(8) === 0 && bytes.length > 0) {
    const at = dice.roll(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.roll(8));
  }
  return bytes.includes(0) ? Buffer.from(bytes.toString('latin1').replaceAll('\0', ' '), 'latin1') : bytes;
}

function mutate(tokens: string[], dice: Dice): void {
  const at = dice.roll(tokens.length + 1);
  switch (dice.roll(9)) {
    case 0:
      tokens.splice(at, 1 + dice.roll(3));
      break;
    case 1:
      tokens.splice(at, 0, ...tokens.slice(at, at + 1 + dice.roll(8)));
      break;
    case 2: {
      const other = dice.roll(tokens.length + 1);
      const [one, two] = [tokens[at] ?? ' ', tokens[other] ?? ' '];
      tokens[at] = two;
      tokens[other] = one;
      break;
    }
    case 3: {
      const others = tokensOf(dice.pick(STATEMENTS));
      const from = dice.roll(others.length + 1);
      tokens.splice(at, dice.roll(tokens.length + 1), ...others.slice(from, from + 1 + dice.roll(20)));
      break;
    }
    case 4:
    case 5:
      tokens.splice(at, dice.roll(2), dice.pick(PIECES));
      break;
    default:
      // Another literal, which mostly leaves the rest as it was.
      for (let i = at; i < tokens.length; i += 1) {
        if (/^\d+$/.test(tokens[i] ?? ''))
          tokens[i] = dice.pick(['7', '0', '3.5', '12345678901', '0x1F', '$1', 'null']);
        else if (/^'/.test(tokens[i] ?? ''))
          tokens[i] = dice.pick(["''", "'\\'", "E'\\n'", "'now'", '$q$x$q$', "'a''b'"]);
      }
  }
}
