import { setImmediate, setTimeout } from 'node:timers/promises';
import type pg from 'pg';
import { readPlpgsqlBody, readSqlBody } from '../../sql/function-body.js';
import type { PlpgsqlParser } from '../../sql/grammar.js';
import { bodyRow } from './body-rows.js';
import { type ChangedOid, changesOfTree, soleSource } from './node-tree.js';
import { isViewRule, type RawFunction, type RawRewrite } from './raw-rows.js';
import type { BodyRow } from './rows.js';

/** What pg_depend does not say of a rule. */
export interface RuleDetail {
  /** A view's only relation in FROM, where it names further ones elsewhere. */
  readonly soleSource: number | null;
  readonly locks: boolean;
  readonly changes: readonly ChangedOid[];
  readonly opaque: string | null;
}

/** PostgreSQL's own functions that run what they are given as text. */
const RUNS_TEXT = '^(query_to_xml|cursor_to_xml|schema_to_xml|database_to_xml|table_to_xml|ts_stat$|ts_rewrite$)';
const RUNS_TEXT_REASON = 'a function that runs SQL which it is given';
/** Objects for each query: all their texts are in memory at once. */
const BATCH = 500;
/** How long texts are parsed before others have their turn, in milliseconds. */
const TURN_MS = 15;
/** For a new instance of the parser. */
const REPLACEMENT_MS = 50;
const TRIES = 20;

const RULES = `
SELECT r.oid::bigint, position(':hasForUpdate true' IN tree) > 0, tree ~ special,
       CASE WHEN rulename <> '_RETURN' OR position(':hasSubLinks true' IN substr(tree, 1, 1000)) > 0 THEN tree END
  FROM (SELECT oid, rulename, ev_action::text AS tree FROM pg_rewrite WHERE oid = ANY ($1::oid[])) r,
       (SELECT ':funcid (' || string_agg(oid::text, '|') || ') ' AS special FROM pg_proc
         WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '${RUNS_TEXT}') s`;

/**
 * prosqlbody is there from PostgreSQL 14 on; what it calls of PostgreSQL's own is told by names, as a text would.
 * pg_get_functiondef looks at system catalogs alone where the body is not such a tree.
 */
const FUNCTIONS = `
SELECT p.oid::bigint, CASE WHEN lanname = 'plpgsql' THEN pg_get_functiondef(p.oid) ELSE prosrc END, tree,
       CASE WHEN tree IS NOT NULL THEN (SELECT json_agg(DISTINCT proname)
         FROM regexp_matches(tree, ':funcid (\\d+) ', 'g') m JOIN pg_proc b ON b.oid = m[1]::oid
        WHERE b.pronamespace = 'pg_catalog'::regnamespace)::text END,
       CASE WHEN tree IS NOT NULL THEN (SELECT json_agg(json_build_array(refclassid = 'pg_class'::regclass, refobjid::bigint)
                                                        ORDER BY refobjid)
         FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND refobjid >= 16384
          AND refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass))::text END
  FROM (SELECT p.*, to_jsonb(p) ->> 'prosqlbody' AS tree FROM pg_proc p WHERE oid = ANY ($1::oid[])) p
  JOIN pg_language l ON l.oid = prolang`;

interface Known<T> {
  readonly xmin: string;
  /** What the detail was made of, where that is kept. */
  readonly source: string;
  readonly detail: T;
}

/** Definitions of one database that have been read; read again only where the row that holds one has changed. */
export class Details {
  readonly #parser: () => Promise<PlpgsqlParser>;
  #rules = new Map<number, Known<RuleDetail>>();
  #functions = new Map<number, Known<BodyRow>>();

  /** @param parser asked for when there is something to parse */
  constructor(parser: () => Promise<PlpgsqlParser>) {
    this.#parser = parser;
  }

  /** By the OID of the rule. One that has been dropped meanwhile is missing. */
  async rules(client: pg.ClientBase, rows: readonly RawRewrite[]): Promise<ReadonlyMap<number, RuleDetail>> {
    const kept = keep(this.#rules, rows, ([, , rule, xmin]) => [rule, xmin]);
    const wanted = rows.filter((row) => !kept.has(row[2]));
    const byRule = new Map(wanted.map((row) => [row[2], row]));
    const turns = new Turns();
    for (const batch of batches([...byRule.keys()])) {
      for (const [oid, locks, special, tree] of await rowsOf(client, RULES, batch)) {
        const row = byRule.get(Number(oid));
        if (row === undefined) continue;
        const detail = ruleDetail(row, locks === true, special === true, typeof tree === 'string' ? tree : null);
        kept.set(row[2], { xmin: row[3], source: '', detail });
        await turns.next();
      }
    }
    this.#rules = kept;
    return new Map([...kept].map(([oid, { detail }]) => [oid, detail]));
  }

  /** Bodies of SQL and PL/pgSQL functions, by OID. One that has been dropped meanwhile is missing. */
  async bodies(client: pg.ClientBase, rows: readonly RawFunction[]): Promise<ReadonlyMap<number, BodyRow>> {
    const readable = rows.filter(hasReadableBody);
    const kept = keep(this.#functions, readable, ([oid, xmin]) => [oid, xmin]);
    const wanted = new Map(readable.filter((row) => !kept.has(row[0])).map((row) => [row[0], row]));
    if (wanted.size === 0) return this.#keepBodies(kept);
    const parser = await this.#parser();
    const turns = new Turns();
    for (const batch of batches([...wanted.keys()])) {
      for (const [oid, text, tree, builtins, uses] of await rowsOf(client, FUNCTIONS, batch)) {
        const row = wanted.get(Number(oid));
        // Dropped or changed since the snapshot was taken: the next reading has it.
        if (row === undefined || typeof text !== 'string') continue;
        const source = typeof tree === 'string' ? tree : text;
        const before = this.#functions.get(row[0]);
        const detail =
          before?.source === source
            ? before.detail
            : await patiently(() =>
                bodyOf(parser, row, { text, tree, builtins: String(builtins ?? '[]'), uses: String(uses ?? '[]') }),
              );
        kept.set(row[0], { xmin: row[1], source, detail });
        await turns.next();
      }
    }
    return this.#keepBodies(kept);
  }

  #keepBodies(kept: Map<number, Known<BodyRow>>): ReadonlyMap<number, BodyRow> {
    this.#functions = kept;
    return new Map([...kept].map(([oid, { detail }]) => [oid, detail]));
  }
}

/** A text that spoils the parser keeps others from being read for a moment (see PooledParser). */
async function patiently(body: () => BodyRow): Promise<BodyRow> {
  let read = body();
  for (let tries = 0; tries < TRIES && read.opaque?.includes('the parser is being replaced'); tries += 1) {
    await setTimeout(REPLACEMENT_MS);
    read = body();
  }
  return read;
}

function bodyOf(
  parser: PlpgsqlParser,
  row: RawFunction,
  { text, tree, builtins, uses }: { text: string; tree: unknown; builtins: string; uses: string },
): BodyRow {
  if (row[5] === 'plpgsql') return bodyRow(readPlpgsqlBody(parser, text));
  if (typeof tree !== 'string') return bodyRow(readSqlBody(parser, text));
  return treeBody(parser, tree, JSON.parse(builtins), JSON.parse(uses));
}

export const hasReadableBody = ([, , , , kind, language]: RawFunction): boolean =>
  kind !== 'a' && (language === 'sql' || language === 'plpgsql');

function ruleDetail(row: RawRewrite, locks: boolean, special: boolean, tree: string | null): RuleDetail {
  const opaque = special ? RUNS_TEXT_REASON : null;
  if (tree === null) return { soleSource: null, locks, changes: [], opaque };
  try {
    return isViewRule(row)
      ? { soleSource: soleSource(tree), locks, changes: [], opaque }
      : { soleSource: null, locks, changes: changesOfTree(tree), opaque };
  } catch {
    return { soleSource: null, locks, changes: [], opaque: 'its stored query cannot be read' };
  }
}

/** Its sequences are named by constants, which are among what it uses. */
const SEQUENCE_CALLS = new Set(['nextval', 'setval', 'currval']);

/** An SQL-standard body (BEGIN ATOMIC, RETURN), which Postgres keeps as a tree. */
function treeBody(
  parser: PlpgsqlParser,
  tree: string,
  builtins: readonly string[],
  uses: readonly (readonly [isRelation: boolean, oid: number])[],
): BodyRow {
  const relations = uses.filter(([isRelation]) => isRelation).map(([, oid]) => oid);
  const calls = builtins.filter((name) => !SEQUENCE_CALLS.has(name) || relations.length === 0);
  const special = calls.length === 0 ? {} : bodyRow(readSqlBody(parser, `SELECT ${calls.map(callOf).join(', ')}`));
  try {
    const oids = {
      reads: relations,
      functions: uses.filter(([isRelation]) => !isRelation).map(([, oid]) => oid),
      changes: changesOfTree(tree),
      ...(tree.includes(':hasForUpdate true') ? { locks: true as const } : {}),
      ...(special.functions === undefined ? {} : { opaque: RUNS_TEXT_REASON }),
    };
    return { oids, ...(special.sets === undefined ? {} : { sets: special.sets }) };
  } catch {
    return { opaque: 'its stored body cannot be read', sets: ['*'] };
  }
}

const callOf = (name: string): string => `pg_catalog."${name.replaceAll('"', '""')}"()`;

/** Those of `known` that are as the rows say. */
function keep<T, R>(
  known: ReadonlyMap<number, Known<T>>,
  rows: readonly R[],
  identify: (row: R) => readonly [oid: number, xmin: string],
): Map<number, Known<T>> {
  const kept = new Map<number, Known<T>>();
  for (const row of rows) {
    const [oid, xmin] = identify(row);
    const one = known.get(oid);
    if (one?.xmin === xmin) kept.set(oid, one);
  }
  return kept;
}

function* batches(oids: readonly number[]): Generator<readonly number[]> {
  for (let at = 0; at < oids.length; at += BATCH) yield oids.slice(at, at + BATCH);
}

async function rowsOf(client: pg.ClientBase, text: string, oids: readonly number[]): Promise<readonly unknown[][]> {
  const query: pg.QueryArrayConfig<unknown[]> = { text, values: [oids], rowMode: 'array' };
  return (await client.query<unknown[]>(query)).rows;
}

/** Lets the event loop go round every so often: thousands of bodies take seconds. */
class Turns {
  #since = performance.now();

  async next(): Promise<void> {
    if (performance.now() - this.#since < TURN_MS) return;
    await setImmediate();
    this.#since = performance.now();
  }
}
