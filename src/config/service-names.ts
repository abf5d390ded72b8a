import { BlockList, isIPv4 } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { ServiceRule } from './config.js';
import { parseNetwork } from './service-rules.js';

/** Clients that look alike connect again and again. */
const MOST_REMEMBERED = 10_000;

interface Matcher {
  readonly name: string;
  readonly applicationName: RegExp | null;
  readonly user: RegExp | null;
  readonly addresses: BlockList | null;
}

/** What the services are called, by the rules of `services` in pgfig.yaml. */
export class ServiceNames {
  readonly #matchers: readonly Matcher[];
  readonly #remembered = new LRUCache<string, string>({ max: MOST_REMEMBERED });

  constructor(rules: readonly ServiceRule[]) {
    this.#matchers = rules.map(({ name, applicationName, user, address }) => ({
      name,
      applicationName: applicationName === null ? null : new RegExp(applicationName),
      user: user === null ? null : new RegExp(user),
      addresses: address === null ? null : listOf(address),
    }));
  }

  /**
   * The name that the first matching rule gives; else `applicationName`; where that is empty, the user.
   * @param address the client's IP, without a port; '' for a Unix socket, which no network holds
   */
  nameOf(applicationName: string, user: string, address: string): string {
    const own = applicationName === '' ? user : applicationName;
    if (this.#matchers.length === 0) return own;
    const key = `${applicationName}\0${user}\0${address}`;
    const known = this.#remembered.get(key);
    if (known !== undefined) return known;
    const name = this.#find(applicationName, user, address) ?? own;
    this.#remembered.set(key, name);
    return name;
  }

  #find(applicationName: string, user: string, address: string): string | null {
    for (const matcher of this.#matchers) {
      const groups = matcher.applicationName === null ? [] : matcher.applicationName.exec(applicationName);
      if (groups === null) continue;
      if (matcher.user !== null && !matcher.user.test(user)) continue;
      if (matcher.addresses !== null && !holds(matcher.addresses, address)) continue;
      const name = matcher.name.replace(/\$([1-9])/g, (_, digit: string) => groups[Number(digit)] ?? '');
      // All of the name may come from a group that has matched nothing.
      if (name !== '') return name;
    }
    return null;
  }
}

function listOf(addresses: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of addresses) {
    const network = parseNetwork(text);
    if (network !== null) list.addSubnet(network.address, network.bits, network.family);
  }
  return list;
}

function holds(list: BlockList, address: string): boolean {
  if (address === '') return false;
  const plain = withoutMapping(address);
  return list.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6');
}

/** A socket that listens on `::` shows an IPv4 client as ::ffff:10.1.2.3. */
function withoutMapping(address: string): string {
  const inner = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return (inner ?? address).replace(/%.*$/, '');
}
