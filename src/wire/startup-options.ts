import { PgfigError } from '../errors/pgfig-error.js';

/**
 * Settings that the startup parameter `options` asks for, in order, names as given but with `-` made
 * `_` as Postgres does: `-c name=value`, `-cname=value`, `--name=value`, and the few one-letter
 * switches that are settings of a session. A backslash takes the next character as it is.
 * Source: pg_split_opts (postinit.c) and process_postgres_switches (postgres.c).
 * @throws PgfigError INVALID_OPTIONS on what Postgres refuses too
 */
export function parseOptions(options: string): [name: string, value: string][] {
  const words = splitOptions(options);
  const settings: [string, string][] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '--') {
      refuseRest(words.slice(i + 1));
      break;
    }
    if (word.startsWith('--')) {
      settings.push(splitSetting(word.slice(2), '--'));
      continue;
    }
    const letter = word[1];
    if (!word.startsWith('-') || letter === undefined) throw invalidArgument(word);
    if (letter === 'e') {
      settings.push(['datestyle', 'euro']);
      continue;
    }
    if (letter === 's') {
      settings.push(['log_statement_stats', 'true']);
      continue;
    }
    const argument = word.length > 2 ? word.slice(2) : words[++i];
    if (argument === undefined) throw invalidArgument(word);
    if (letter === 'c') settings.push(splitSetting(argument, '-c '));
    else if (letter === 'S') settings.push(['work_mem', argument]);
    else if (letter === 'f') settings.push([planSwitch(argument), 'false']);
    else throw invalidArgument(word);
  }
  return settings;
}

function splitOptions(options: string): string[] {
  const words: string[] = [];
  let i = 0;
  while (i < options.length) {
    while (i < options.length && isSpace(options[i])) i++;
    if (i >= options.length) break;
    let word = '';
    while (i < options.length && !isSpace(options[i])) {
      if (options[i] === '\\' && i + 1 < options.length) i++;
      word += options[i++];
    }
    words.push(word);
  }
  return words;
}

/** isspace() of the C locale. */
const isSpace = (char: string | undefined): boolean => char !== undefined && /[ \t\n\v\f\r]/.test(char);

function splitSetting(text: string, prefix: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals < 0) throw new PgfigError('INVALID_OPTIONS', `${prefix}${text} requires a value`);
  return [text.slice(0, equals).replaceAll('-', '_'), text.slice(equals + 1)];
}

const PLAN_SWITCHES: Readonly<Record<string, string>> = {
  s: 'enable_seqscan',
  i: 'enable_indexscan',
  o: 'enable_indexonlyscan',
  b: 'enable_bitmapscan',
  t: 'enable_tidscan',
  n: 'enable_nestloop',
  m: 'enable_mergejoin',
  h: 'enable_hashjoin',
};

function planSwitch(letter: string): string {
  const name = Object.hasOwn(PLAN_SWITCHES, letter) ? PLAN_SWITCHES[letter] : undefined;
  if (name === undefined) throw invalidArgument(`-f ${letter}`);
  return name;
}

function refuseRest(words: string[]): void {
  const first = words[0];
  if (first !== undefined) throw invalidArgument(first);
}

const invalidArgument = (word: string): PgfigError =>
  new PgfigError('INVALID_OPTIONS', `invalid command-line argument for server process: ${word}`);
