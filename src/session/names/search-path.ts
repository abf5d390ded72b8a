import { parseOptions } from '../../wire/startup-options.js';
import type { SessionStart } from '../login/session-start-facts.js';
import type { SessionLink } from '../session-link.js';
import type { Traffic } from '../traffic.js';
import { splitPath } from './split-path.js';

export { splitPath };

/** Settings that decide which tables are meant, or where they may be read. */
export const DECIDES_NAMES: ReadonlySet<string> = new Set([
  'search_path',
  'role',
  'session_authorization',
  'default_transaction_isolation',
]);

const SERVER_DEFAULT: readonly string[] = ['$user', 'public'];

/**
 * The session's search_path as schemas in order, `"$user"` put in. It is never computed from statements: when
 * something may have changed it, the link where that happened is asked before the next statement is planned.
 */
export class SearchPath {
  schemas: readonly string[];
  /** As SHOW gives it; null before the server was asked. */
  value: string | null = null;
  readonly #user: string;
  #ask: SessionLink | null = null;

  constructor(traffic: Traffic, start: SessionStart, home: string) {
    this.#user = start.info.user;
    const asked = fromStartup(start.params);
    const configured = traffic.catalog?.initialSearchPath(home, this.#user) ?? null;
    const path = asked === null ? (configured ?? SERVER_DEFAULT) : splitPath(asked);
    this.schemas = resolve(path, this.#user);
  }

  /** The link to ask, if any, has not been asked. */
  get unsure(): boolean {
    return this.#ask !== null;
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

  /**
   * @param value as `SHOW search_path` gives it
   * @param user current_user, which "$user" stands for: SET ROLE changes it
   * @returns whether names mean something else now
   */
  learn(value: string, user = this.#user): boolean {
    this.value = value;
    const schemas = resolve(splitPath(value), user);
    if (schemas.join('\n') === this.schemas.join('\n')) return false;
    this.schemas = schemas;
    return true;
  }
}

const resolve = (path: readonly string[], user: string): readonly string[] =>
  path.map((schema) => (schema === '$user' ? user : schema));

function fromStartup(params: ReadonlyMap<string, string>): string | null {
  let path = params.get('search_path') ?? null;
  const options = params.get('options');
  if (options === undefined) return path;
  for (const [name, value] of parseOptions(options)) if (name.toLowerCase() === 'search_path') path = value;
  return path;
}
