import pg from 'pg';
import type { Parser } from '../../src/sql/parser.js';
import type { Statement } from '../../src/sql/statement.js';
import type { Case, Login } from './case-files.js';
import { type Lock, plannedRelations, readLocks } from './locks.js';
import { Relations } from './relations.js';

/** One statement of a case, with what its names meant when it ran. */
export interface PlayedStatement {
  readonly sql: string;
  readonly statement: Statement;
  /** `current_schemas(true)` before it ran. */
  readonly schemas: readonly string[];
  /** The same when it had run. */
  readonly schemasAfter: readonly string[];
  /** `search_path` before it ran, as the server shows it. */
  readonly searchPath: string;
  readonly user: string;
  /** Temporary tables that were there before it ran. */
  readonly temporary: readonly string[];
  /** The relations before it ran, and after. */
  readonly before: Relations;
  readonly after: Relations;
  /** Relations in the plans that EXPLAIN shows, where it can. */
  readonly planned: readonly (readonly [schema: string, name: string])[];
}

export interface Played {
  readonly statements: readonly PlayedStatement[];
  /** What the transaction held when its last statement had run. */
  readonly locks: readonly Lock[];
}

const STATE = `SELECT pg_catalog.current_schemas(true)::text[] AS schemas, pg_catalog.current_setting('search_path') AS path,
  current_user::text AS "user"`;

const EXPLAINABLE = new Set(['select', 'values', 'insert', 'update', 'delete', 'merge']);
/** Kinds after which there may be other relations than before. */
const MAKES = new Set(['ddl', 'do', 'call', 'discard', 'other', 'explain', 'execute', 'rollback-to']);

/** Runs cases on one server, a connection for each login. */
export class Player {
  readonly #url: string;
  readonly #parser: Parser;
  readonly #clients = new Map<string, pg.Client>();
  #relations: Relations | null = null;

  constructor(url: string, parser: Parser) {
    this.#url = url;
    this.#parser = parser;
  }

  /** @throws what the server says to a statement that fails: a case that does not run proves nothing */
  async play(played: Case): Promise<Played> {
    const client = await this.connect(played.login);
    for (const sql of played.before) await client.query(sql);
    try {
      await client.query('BEGIN');
      const statements = await this.#run(client, played);
      return { statements, locks: await readLocks(client) };
    } finally {
      await client.query('ROLLBACK');
      await client.query('DISCARD ALL');
    }
  }

  async #run(client: pg.Client, { sql, before }: Case): Promise<PlayedStatement[]> {
    const parsed = this.#parser.parse(sql);
    if (parsed.syntaxError !== null) throw new Error(parsed.syntaxError);
    const bytes = Buffer.from(sql);
    const statements: PlayedStatement[] = [];
    this.#relations ??= await Relations.read(client);
    let relations = before.length > 0 ? await Relations.read(client, this.#relations) : this.#relations;
    for (const [at, statement] of parsed.statements.entries()) {
      const [start, end] = parsed.spans[at] ?? [0, 0];
      const text = bytes.subarray(start, end).toString();
      const { rows } = await client.query<{ schemas: string[]; path: string; user: string }>(STATE);
      const planned = EXPLAINABLE.has(statement.kind) ? await explain(client, text) : [];
      await client.query(text);
      const makes =
        MAKES.has(statement.kind) ||
        statement.effects.length + statement.functions.length + statement.writes.length > 0;
      const after = makes ? await Relations.read(client, relations) : relations;
      const schemasAfter = makes ? (await client.query(STATE)).rows[0]?.schemas : rows[0]?.schemas;
      statements.push({
        sql: text,
        statement,
        schemas: rows[0]?.schemas ?? [],
        schemasAfter: schemasAfter ?? [],
        searchPath: rows[0]?.path ?? '',
        user: rows[0]?.user ?? '',
        temporary: relations.temporary(),
        before: relations,
        after,
        planned,
      });
      relations = after;
    }
    return statements;
  }

  /** The connection of that login, which keeps its settings between cases as they were at its start. */
  async connect({ user, options }: Login): Promise<pg.Client> {
    const key = `${user} ${options}`;
    const open = this.#clients.get(key);
    if (open !== undefined) return open;
    const url = new URL(this.#url);
    url.username = user;
    const client = new pg.Client({ connectionString: url.href, options });
    client.on('error', () => undefined);
    await client.connect();
    this.#clients.set(key, client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.#clients.values()) await client.end();
  }
}

/** Within a savepoint, which gives its locks back. SELECT INTO and the like cannot be explained: []. */
async function explain(client: pg.Client, sql: string): Promise<[string, string][]> {
  await client.query('SAVEPOINT explaining');
  try {
    const { rows } = await client.query<{ 'QUERY PLAN': unknown }>(`EXPLAIN (VERBOSE, FORMAT JSON) ${sql}`);
    return plannedRelations(rows.map((row) => row['QUERY PLAN']));
  } catch {
    return [];
  } finally {
    await client.query('ROLLBACK TO SAVEPOINT explaining; RELEASE SAVEPOINT explaining');
  }
}
