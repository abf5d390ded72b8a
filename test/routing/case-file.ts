import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { RoutingContext } from '../../src/routing/plan.js';
import { buildRuleSet } from '../../src/rules/build.js';
import type { Domain, MirrorRule, Phase, RuleSet } from '../../src/rules/rule-set.js';
import { tableKey } from '../../src/rules/table-name.js';
import type { PlpgsqlParser } from '../../src/sql/parser.js';
import { type CatalogText, catalogOf, refOf } from './case-catalog.js';

/** What a route depends on; that of a case hides that of its file, key by key. */
interface Setting {
  /** `phase` may be left out where the case has `phases`. */
  readonly domains?: Readonly<
    Record<
      string,
      {
        database: string;
        phase?: Phase;
        tables: readonly string[];
        local?: readonly string[];
        capture?: MirrorRule['capture'];
      }
    >
  >;
  /** null: no catalog. */
  readonly catalog?: CatalogText | null;
  readonly searchPath?: readonly string[];
  /** Temporary table -> the database whose link holds it. */
  readonly temp?: Readonly<Record<string, string>>;
  readonly home?: string;
  readonly service?: string;
  readonly readsNew?: readonly string[];
  /** Domains that the transaction has written. */
  readonly hasWritten?: readonly string[];
  readonly oneSnapshot?: boolean;
  readonly inStep?: readonly string[];
  readonly ownRelations?: Readonly<Record<string, string>>;
}

/** What must be decided; what is left out is not looked at. */
export interface Expected {
  readonly sql: string;
  /** A database, any, every or refused. */
  readonly route: string;
  readonly reads?: readonly string[];
  readonly written?: readonly string[];
  readonly writtenDomains?: readonly string[];
  /** Counts as a write. */
  readonly writes?: boolean;
  readonly domain?: string | null;
  readonly homes?: readonly string[];
  readonly movesNames?: boolean;
  readonly opaque?: string | null;
  /** Each must stand in the reason (or the refusal and its hint). */
  readonly says?: readonly string[];
  /** The whole reason; of a refusal, the whole message. */
  readonly reason?: string;
  readonly hint?: string;
  /** 'none': no business of the statement mirror's; 'runs'; or the code of its refusal. */
  readonly mirror?: string;
}

/** One case of a file; `phases` makes one of each phase: phase of all domains that leave theirs out -> route. */
type CaseText = Setting &
  Omit<Expected, 'route'> & { readonly route?: string; readonly phases?: Readonly<Record<Phase, string>> };

interface CaseFile extends Setting {
  /** Of the cases that do not say it. */
  readonly route?: string;
  readonly cases: readonly CaseText[];
}

export interface Case {
  readonly file: string;
  /** The SQL, and the phase where the case is of several. */
  readonly title: string;
  readonly expected: Expected;
  readonly context: RoutingContext;
}

const KEYS = new Set(
  `sql route phases reads written writtenDomains writes domain homes movesNames opaque says reason hint mirror
  domains catalog searchPath temp home service readsNew hasWritten oneSnapshot inStep ownRelations`.split(/\s+/),
);

// Read from the source tree: the compiled tests lie elsewhere.
const FOLDER = new URL('../../../test/routing/cases/', import.meta.url);

/** All cases of test/routing/cases, in the order of files and lines. */
export function readCases(parser: PlpgsqlParser): readonly Case[] {
  return readdirSync(FOLDER)
    .sort()
    .flatMap((file) => {
      const text: CaseFile = parse(readFileSync(new URL(file, FOLDER), 'utf8'));
      return text.cases.flatMap((one) => casesOf(file, text, one, parser));
    });
}

function casesOf(file: string, whole: CaseFile, one: CaseText, parser: PlpgsqlParser): readonly Case[] {
  const setting: Setting = { ...whole, ...one };
  // A key that is misspelt would check nothing.
  for (const key in one) if (!KEYS.has(key)) throw new Error(`${file}: ${key} of ${one.sql} is no key of a case`);
  const { sql } = one;
  if (one.phases === undefined) {
    const route = one.route ?? whole.route;
    if (route === undefined) throw new Error(`${file}: no route for ${sql}`);
    return [{ file, title: sql, expected: { ...one, route }, context: contextOf(setting, null, parser) }];
  }
  return Object.entries(one.phases).map(([phase, route]) => ({
    file,
    title: `${sql} [${phase}]`,
    expected: { ...one, route },
    context: contextOf(setting, phase as Phase, parser),
  }));
}

function contextOf(setting: Setting, phase: Phase | null, parser: PlpgsqlParser): RoutingContext {
  const { catalog, home, readsNew, hasWritten, inStep, oneSnapshot, ownRelations } = setting;
  return {
    rules: rulesOf(setting.domains, phase),
    catalog: catalog ? catalogOf(catalog, parser) : null,
    searchPath: setting.searchPath ?? ['public'],
    tempTables: new Map(Object.entries(setting.temp ?? {})),
    service: setting.service ?? 'test',
    ...(home !== undefined && { home }),
    ...(readsNew && { readsNew: new Set(readsNew) }),
    ...(hasWritten && { written: new Set(hasWritten) }),
    ...(inStep && { inStep: new Set(inStep) }),
    ...(oneSnapshot !== undefined && { oneSnapshot }),
    ...(ownRelations && { ownRelations: new Map(Object.entries(ownRelations).map(([name, at]) => [keyOf(name), at])) }),
  };
}

const keyOf = (name: string): string => {
  const ref = refOf(name);
  return tableKey(ref.schema, ref.name);
};

function rulesOf(domains: Setting['domains'] = {}, phase: Phase | null): RuleSet {
  const list = Object.entries(domains).map(([name, domain]): Domain => {
    const own = domain.phase ?? phase;
    if (own === null) throw new Error(`domain ${name} has no phase`);
    const { database, tables, local, capture } = domain;
    return {
      name,
      database,
      tables: tables.map(keyOf),
      ...(local && { local: local.map(keyOf) }),
      ...(capture && { mirror: { capture, apply: 'sync', syncTimeout: 1000, statementTimeout: 1000, guard: 'on' } }),
      phase: own,
      owner: null,
      crossDatabase: 'refuse',
      file: `${name}.yaml`,
    };
  });
  return buildRuleSet(list, { defaultDatabase: 'monolith', version: 1 });
}
