import { PgfigError } from '../../errors/pgfig-error.js';

/** What a line's prefix says; what it does not is ''. */
export interface PrefixFields {
  readonly time: string;
  /** Seconds since 1970, as %n writes them; '' without it. */
  readonly epoch: string;
  readonly session: string;
  readonly sessionStart: string;
  readonly user: string;
  /** null: the prefix has no %d. */
  readonly database: string | null;
  readonly application: string;
  readonly address: string;
  readonly tag: string;
  readonly transaction: string;
  readonly sqlstate: string;
  readonly backend: string;
}

/** What each escape writes (PostgreSQL documentation, log_line_prefix). */
const ESCAPES: Readonly<Record<string, string>> = {
  a: '.*?',
  u: '.*?',
  d: '.*?',
  r: '\\S*?',
  h: '\\S*?',
  L: '\\S*?',
  b: '[a-z ]+?',
  p: '\\d+',
  P: '\\d*',
  t: '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d \\S+?',
  m: '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d+ \\S+?',
  n: '\\d+\\.\\d+',
  i: '.*?',
  e: '[0-9A-Z]{5}',
  c: '[0-9a-f]+\\.[0-9a-f]+',
  l: '\\d+',
  s: '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d \\S+?',
  v: '\\d*/?\\d*',
  x: '\\d+',
  Q: '-?\\d+',
};

/** A log_line_prefix as a pattern: it finds what the prefix says, and where the message begins. */
export class LinePrefix {
  readonly #pattern: RegExp;
  readonly #has: ReadonlySet<string>;

  /** @throws PgfigError CONFIG_INVALID where it has an escape that is not known, or does not tell sessions or services apart */
  constructor(prefix: string) {
    const { pattern, escapes } = patternOf(prefix);
    const missing = [
      ...(escapes.has('p') || escapes.has('c') ? [] : ['%p or %c, which tell sessions apart']),
      ...(escapes.has('a') || escapes.has('u') ? [] : ['%a or %u, which tell services apart']),
    ];
    if (missing.length > 0) {
      throw new PgfigError('CONFIG_INVALID', `--line-prefix '${prefix}' has no ${missing.join(', and no ')}`, {
        hint: 'Give the value of log_line_prefix with which the log was written; without these, lines cannot be told apart.',
      });
    }
    this.#pattern = pattern;
    this.#has = escapes;
  }

  /** The fields of a line, its severity, and the rest of it; null where it does not begin so. */
  match(line: string): { readonly fields: PrefixFields; readonly severity: string; readonly rest: string } | null {
    const groups = this.#pattern.exec(line)?.groups;
    if (groups === undefined) return null;
    const of = (letter: string): string => (groups[letter] ?? '').trim();
    return {
      severity: groups.severity ?? '',
      rest: groups.rest ?? '',
      fields: {
        time: of('m') || of('t'),
        epoch: of('n'),
        session: of('c') || of('p'),
        sessionStart: of('s'),
        user: unknownAsEmpty(of('u')),
        database: this.#has.has('d') ? unknownAsEmpty(of('d')) : null,
        application: unknownAsEmpty(of('a')),
        address: of('h') || of('r'),
        tag: of('i'),
        transaction: of('v'),
        sqlstate: of('e'),
        backend: of('b'),
      },
    };
  }
}

const unknownAsEmpty = (text: string): string => (text === '[unknown]' ? '' : text);

/** Processes that are no session's write nothing of what stands behind %q. */
function patternOf(prefix: string): { readonly pattern: RegExp; readonly escapes: ReadonlySet<string> } {
  const escapes = new Set<string>();
  let source = '^';
  let optional = false;
  for (const [part, padding, letter] of prefix.matchAll(/%(-?\d*)(.)|[^%]+|%/gs)) {
    if (letter === undefined) source += escapeText(part);
    else if (letter === '%') source += '%';
    else if (letter === 'q') {
      source += '(?:';
      optional = true;
    } else {
      const text = ESCAPES[letter];
      if (text === undefined) {
        throw new PgfigError('CONFIG_INVALID', `--line-prefix '${prefix}': %${letter} is not known`, {
          hint: 'Give the value of log_line_prefix as it stands in postgresql.conf.',
        });
      }
      const value = escapes.has(letter) ? `(?:${text})` : `(?<${letter}>${text})`;
      escapes.add(letter);
      source += padding === '' ? value : ` *${value} *`;
    }
  }
  if (optional) source += ')?';
  return { pattern: new RegExp(`${source}(?<severity>[^\\s:]+):  (?<rest>.*)$`, 's'), escapes };
}

const escapeText = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
