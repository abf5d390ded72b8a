import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import type { CatalogView } from '../../src/routing/catalog-view.js';
import { planText, type RoutingContext } from '../../src/routing/plan.js';
import { buildRuleSet } from '../../src/rules/build.js';
import type { Domain, Phase, RuleSet } from '../../src/rules/rule-set.js';
import { loadParser } from '../../src/sql/parser.js';

/** One case: SQL, and what must be decided. What is left out is not looked at; `statement` picks one of several. */
interface Case extends Setting {
  readonly sql: string;
  /** A database, any, every or refused. */
  readonly route: string;
  readonly reads?: readonly string[];
  readonly written?: readonly string[];
  /** Counts as a write. */
  readonly writes?: boolean;
  readonly domain?: string | null;
  readonly homes?: readonly string[];
  /** Each must stand in the reason (or the refusal). */
  readonly says?: readonly string[];
}

interface Setting {
  readonly domains?: Readonly<Record<string, { database: string; phase: Phase; tables: readonly string[] }>>;
  /** database -> its relations; missing: no catalog. */
  readonly catalog?: Readonly<Record<string, readonly string[]>> | null;
  readonly searchPath?: readonly string[];
  readonly temp?: Readonly<Record<string, string>>;
  readonly home?: string;
}

interface CaseFile extends Setting {
  readonly cases: readonly Case[];
}

function rulesOf(domains: Setting['domains'] = {}): RuleSet {
  const list = Object.entries(domains).map(
    ([name, domain]): Domain => ({ name, ...domain, owner: null, crossDatabase: 'refuse', file: `${name}.yaml` }),
  );
  return buildRuleSet(list, { defaultDatabase: 'monolith', version: 1 });
}

function catalogOf(relations: Setting['catalog']): CatalogView | null {
  if (!relations) return null;
  return {
    version: 1,
    hasRelation: (database, schema, name) => relations[database]?.includes(`${schema}.${name}`) ?? null,
    initialSearchPath: () => null,
  };
}

function contextOf(file: Setting, one: Setting): RoutingContext {
  const home = one.home ?? file.home;
  return {
    rules: rulesOf(one.domains ?? file.domains),
    catalog: catalogOf(one.catalog === undefined ? file.catalog : one.catalog),
    searchPath: one.searchPath ?? file.searchPath ?? ['public'],
    tempTables: new Map(Object.entries(one.temp ?? file.temp ?? {})),
    service: 'test',
    ...(home !== undefined && { home }),
  };
}

const folder = new URL('../../../test/routing/cases/', import.meta.url);
const parser = await loadParser();
const files = readdirSync(folder)
  .sort()
  .map((name): [string, CaseFile] => [name, parse(readFileSync(new URL(name, folder), 'utf8'))]);

// Read from the source tree: a folder that is empty or not found must not pass.
t.ok(files.flatMap(([, file]) => file.cases).length >= 170);

for (const [name, file] of files) {
  t.test(name, async (t) => {
    for (const one of file.cases) {
      const [route] = planText(parser.parse(one.sql), contextOf(file, one));
      if (route === undefined) {
        t.fail(`no statement in ${one.sql}`);
        continue;
      }
      const wanted = {
        route: one.route,
        ...(one.reads && { reads: one.reads }),
        ...(one.written && { written: one.written }),
        ...(one.writes !== undefined && { writes: one.writes }),
        ...(one.domain !== undefined && { domain: one.domain }),
        ...(one.homes && { homes: one.homes }),
      };
      const found = { ...route, route: route.database ?? route.target };
      t.match(found, wanted, one.sql);
      for (const part of one.says ?? []) {
        t.ok(`${route.reason} ${route.error?.hint ?? ''}`.includes(part), `${one.sql}: says ${part}`, {
          found: route.reason,
        });
      }
      t.equal(route.target === 'refused', route.error !== null, `${one.sql}: an error exactly where it is refused`);
      t.ok(Object.isFrozen(route) && Object.isFrozen(route.homes), `${one.sql}: frozen`);
    }
  });
}
