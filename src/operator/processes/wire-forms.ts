import type { Config, DatabaseConfig } from '../../config/config.js';
import type { Domain, RuleSet } from '../../rules/rule-set.js';

/**
 * What crosses the pipes between the processes is JSON: Maps become lists of pairs, dates milliseconds.
 * JSON and not Node's structured clone, because the same pipe hands the accepted sockets to the workers
 * and the cheaper serialiser there counts for clients that connect anew for every statement.
 */
export interface ConfigWire extends Omit<Config, 'databases' | 'homes'> {
  readonly databases: readonly DatabaseConfig[];
  readonly homes: readonly (readonly [string, string])[];
}

export interface RuleSetWire {
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly loadedAt: number;
  readonly domains: readonly Domain[];
  readonly defaultDatabase: string;
  readonly databases: readonly string[];
}

export function configToWire(config: Config): ConfigWire {
  return { ...config, databases: [...config.databases.values()], homes: [...config.homes] };
}

export function configFromWire(wire: ConfigWire): Config {
  return {
    ...wire,
    databases: new Map(wire.databases.map((database) => [database.name, database])),
    homes: new Map(wire.homes),
  };
}

export function rulesToWire(rules: RuleSet): RuleSetWire {
  return {
    version: rules.version,
    loadedAt: rules.loadedAt.getTime(),
    domains: rules.domains,
    defaultDatabase: rules.defaultDatabase,
    databases: rules.databases,
  };
}

export function rulesFromWire(wire: RuleSetWire): RuleSet {
  const tables = new Map<string, Domain>();
  for (const domain of wire.domains) for (const table of domain.tables) tables.set(table, domain);
  return Object.freeze({
    version: wire.version,
    loadedAt: new Date(wire.loadedAt),
    domains: wire.domains,
    tables,
    defaultDatabase: wire.defaultDatabase,
    databases: wire.databases,
  });
}
