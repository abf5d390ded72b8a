import { parseOptions } from '../wire/startup-options.js';
import type { SessionLink } from './session-link.js';
import type { SessionStart } from './session-start-facts.js';
import type { Traffic } from './traffic.js';

const SERVER_DEFAULT: readonly string[] = ['$user', 'public'];

/**
 * The session's search_path as schemas in order, `"$user"` put in. It is never computed from statements: when
 * something may have changed it, the link where that happened is asked before the next statement is planned.
 */
export class SearchPath {
  schemas: readonly string[];
  readonly #user: string;
  #ask: SessionLink | null = null;

  constructor(traffic: Traffic, start: SessionStart, home: string) {
    this.#user = start.info.user;
    const asked = fromStartup(start.params);
    const configured = traffic.catalog?.initialSearchPath(home, this.#user) ?? null;
    this.schemas = this.#resolve(asked === null ? (configured ?? SERVER_DEFAULT) : splitPath(asked));
  }

  /** It may have changed there. */
  outdated(link: SessionLink): void {
    this.#ask = link;
  }

  /** The link to ask, if any. */
  takeAsk(): SessionLink | null {
    const link = this.#ask;
    this.#ask = null;
    return link;
  }

  /** @param value as `SHOW search_path` gives it */
  learn(value: string): boolean {
    const schemas = this.#resolve(splitPath(value));
    if (schemas.join('\n') === this.schemas.join('\n')) return false;
    this.schemas = schemas;
    return true;
  }

  #resolve(path: readonly string[]): readonly string[] {
    return path.map((schema) => (schema === '$user' ? this.#user : schema));
  }
}

function fromStartup(params: ReadonlyMap<string, string>): string | null {
  let path = params.get('search_path') ?? null;
  const options = params.get('options');
  if (options === undefined) return path;
  for (const [name, value] of parseOptions(options)) if (name.toLowerCase() === 'search_path') path = value;
  return path;
}

/** Splits a list of identifiers as Postgres does (SplitIdentifierString): quoted ones as they are, others folded. */
export function splitPath(path: string): string[] {
  const parts: string[] = [];
  const pattern = /\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/gy;
  while (pattern.lastIndex < path.length) {
    const match = pattern.exec(path);
    if (match === null) break;
    const name = match[1] === undefined ? (match[2] ?? '').trim().toLowerCase() : match[1].replaceAll('""', '"');
    if (name !== '') parts.push(name);
  }
  return parts;
}
