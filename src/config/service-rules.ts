import { isIP } from 'node:net';
import type { ServiceRule } from './config.js';
import type { Path, YamlFile } from './yaml-file.js';

/** A rule as it stands in the file. */
export interface GivenRule {
  readonly name: string;
  readonly applicationName?: string | undefined;
  readonly user?: string | undefined;
  readonly address?: string | readonly string[] | undefined;
}

/** Rules of `services`, checked for what their shape alone does not say; faults go to `yaml`. */
export function readServiceRules(given: readonly GivenRule[], yaml: YamlFile): readonly ServiceRule[] {
  return given.map((rule, index) => readRule(rule, ['services', index], yaml));
}

function readRule(given: GivenRule, path: Path, yaml: YamlFile): ServiceRule {
  const { name, applicationName, user, address } = given;
  if (applicationName === undefined && user === undefined && address === undefined) {
    yaml.complain(path, `${path.join('.')} has no condition. Add applicationName, user or address`);
  }
  const groups = applicationName === undefined ? 0 : groupsOf(applicationName, [...path, 'applicationName'], yaml);
  const last = Math.max(0, ...[...name.matchAll(/\$([1-9])/g)].map(([, digit]) => Number(digit)));
  if (groups !== null && last > groups) {
    const has =
      applicationName === undefined
        ? 'there is no applicationName. Add one with what is meant in ( )'
        : `applicationName has only ${groups} ${groups === 1 ? 'group' : 'groups'}. Put what is meant in ( )`;
    yaml.complain([...path, 'name'], `${path.join('.')}.name uses $${last}, but ${has}`);
  }
  if (user !== undefined) groupsOf(user, [...path, 'user'], yaml);
  const addresses = address === undefined ? null : typeof address === 'string' ? [address] : address;
  for (const [index, one] of (addresses ?? []).entries()) {
    if (parseNetwork(one) !== null) continue;
    const at = [...path, 'address', ...(typeof address === 'string' ? [] : [index])];
    yaml.complain(
      at,
      `${at.join('.')} is neither an IP address nor a network. Write for example 10.1.2.3 or 10.1.0.0/16`,
    );
  }
  return { name, applicationName: applicationName ?? null, user: user ?? null, address: addresses };
}

/** How many groups a regular expression has; null where it is none, which is complained about. */
function groupsOf(source: string, path: Path, yaml: YamlFile): number | null {
  try {
    // The empty alternative always matches, with all groups empty.
    return (new RegExp(`${source}|`).exec('')?.length ?? 1) - 1;
  } catch (error) {
    const what = error instanceof Error ? error.message.replace(/^.*\/: /s, '') : String(error);
    yaml.complain(path, `${path.join('.')} is not a regular expression (${what}). Correct it`);
    return null;
  }
}

export interface Network {
  readonly address: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** '10.1.0.0/16' or '::1'; null where it is neither an address nor a network. */
export function parseNetwork(text: string): Network | null {
  const [, address = '', length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  // A zone (fe80::1%eth0) names an interface of one machine, and BlockList knows none.
  if (version === 0 || address.includes('%')) return null;
  const most = version === 4 ? 32 : 128;
  const bits = length === undefined ? most : Number(length);
  return bits > most ? null : { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' };
}
