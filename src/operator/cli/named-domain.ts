import type { Config } from '../../config/config.js';
import { loadConfig } from '../../config/load.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { type Mirror, mirrorOf } from '../../mirror/mirror.js';
import { loadRules } from '../../rules/load.js';
import type { Domain } from '../../rules/rule-set.js';

/** @throws PgfigError NAME_UNKNOWN, CONFIG_INVALID, RULES_INVALID, FILE_UNREADABLE */
export function domainNamed(
  name: string,
  options: { readonly config: string },
): { readonly config: Config; readonly domain: Domain } {
  const config = loadConfig(options.config);
  const context = { databases: config.databases.keys(), default: config.default, version: 1 };
  const { domains } = loadRules(config.rules, context);
  const domain = domains.find((one) => one.name === name);
  if (domain !== undefined) return { config, domain };
  const known = domains.map((one) => one.name).join(', ');
  throw new PgfigError('NAME_UNKNOWN', `no rule is for a domain ${JSON.stringify(name)}`, {
    hint: known === '' ? `The folder ${config.rules} holds no rules.` : `There are: ${known}.`,
  });
}

/** The mirror that a relay keeps. @returns null: there is none to be, or it is one by statement */
export function relayedMirror(domain: Domain, source: string): Mirror | null {
  const mirror = mirrorOf(domain, source);
  return mirror?.rule.capture === 'outbox' ? mirror : null;
}

/** @throws as domainNamed; PgfigError MIRROR_REFUSED in a phase without a mirror, or by a rule that wants no outbox */
export function mirrorNamed(
  name: string,
  options: { readonly config: string },
): { readonly config: Config; readonly mirror: Mirror } {
  const { config, domain } = domainNamed(name, options);
  const mirror = relayedMirror(domain, config.default);
  if (mirror !== null) return { config, mirror };
  if (mirrorOf(domain, config.default) !== null) {
    throw new PgfigError(
      'MIRROR_REFUSED',
      `the rule of domain ${name} says capture: statement: no relay keeps its copy`,
      {
        hint: 'Triggers, backfill, verify and repair are those of capture: outbox. pgfig mirror remove takes away what is left of that.',
      },
    );
  }
  if (domain.mirror?.capture === 'none') {
    throw new PgfigError('MIRROR_REFUSED', `the rule of domain ${name} says capture: none: pgfig does not mirror it`);
  }
  throw new PgfigError('MIRROR_REFUSED', `domain ${name} is in phase ${domain.phase}, in which nothing is mirrored`, {
    hint: 'Set phase: dual-write in its rule.',
  });
}

/** What the driver throws, as an error of pgfig's: the server's own, or that it does not answer. */
export async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof PgfigError) throw cause;
    const sqlstate = 'code' in cause ? String(cause.code) : '';
    if (/^[0-9A-Z]{5}$/.test(sqlstate) && !/^(08|57P|28|3D)/.test(sqlstate)) {
      throw new PgfigError('BACKEND_ANSWERED', `a database refuses: ${cause.message}`, { cause, sqlstate });
    }
    throw new PgfigError('BACKEND_UNREACHABLE', `a database cannot be reached: ${cause.message}`, { cause });
  }
}
