/**
 * How much of a corpus each parser accepts, whether they find the same tables, and what a parse costs.
 *   node build/bench/micro/sql-corpus.js FOLDER-OF-SQL-FILES      e.g. PostgreSQL's src/test/regress/sql
 * pgsql-ast-parser runs in a worker that is ended when one statement takes longer than the limit.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { loadParser } from '../../src/sql/parser.js';
import type { Statement } from '../../src/sql/statement.js';
import { isBeyondSecond, secondOpinion } from '../../test/sql/second-opinion.js';

const LIMIT_MS = 2000;

interface Opinion {
  /** null: not accepted. */
  readonly tables: readonly string[] | null;
  readonly nanos: number;
}

/** psql's files as statements: without its backslash commands, COPY data and what holds its variables. */
function statementsOf(file: string): string[] {
  const text = file.replace(/^(copy\b[^;]*from stdin[^;]*;)[\s\S]*?^\\\.$/gim, '$1').replace(/^\\.*$/gm, '');
  const statements: string[] = [];
  const token =
    /--[^\n]*|\/\*[\s\S]*?\*\/|\b[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|[();]|\bbegin\s+atomic\b|\bcase\b|\bend\b|[\w$]+|[\s\S]/gi;
  let start = 0;
  let depth = 0;
  let atomic = 0;
  for (const match of text.matchAll(token)) {
    const word = match[0].toLowerCase();
    if (word === '(') depth += 1;
    else if (word === ')') depth -= 1;
    else if (/^begin\s+atomic$/.test(word) || (atomic > 0 && word === 'case')) atomic += 1;
    else if (atomic > 0 && word === 'end') atomic -= 1;
    else if (word === ';' && depth <= 0 && atomic === 0) {
      statements.push(text.slice(start, match.index));
      start = match.index + 1;
      depth = 0;
    }
  }
  return statements.map((sql) => sql.trim()).filter((sql) => sql !== '' && !/(?<![:\w]):['"]?[a-z]\w*/i.test(sql));
}

function tablesOf(statement: Statement): string[] {
  const names = [...statement.reads, ...statement.writes];
  return [...new Set(names.map(({ schema, name }) => (schema === undefined ? name : `${schema}.${name}`)))].sort();
}

/** Asks pgsql-ast-parser in a worker; null where it took longer than the limit, and a new worker is started. */
class SecondParser {
  #worker = new Worker(new URL(import.meta.url));

  async ask(sql: string): Promise<Opinion | null> {
    const worker = this.#worker;
    const answer = await new Promise<Opinion | null>((resolve) => {
      const timer = setTimeout(() => resolve(null), LIMIT_MS);
      worker.once('message', (opinion: Opinion) => {
        clearTimeout(timer);
        resolve(opinion);
      });
      worker.postMessage(sql);
    });
    if (answer === null) {
      await worker.terminate();
      this.#worker = new Worker(new URL(import.meta.url));
    }
    return answer;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

const COMPARED = new Set(['select', 'values', 'insert', 'update', 'delete', 'truncate']);

async function compare(folder: string): Promise<void> {
  const parser = await loadParser();
  const second = new SecondParser();
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'));
  const corpus = new Set(files.flatMap((file) => statementsOf(readFileSync(join(folder, file), 'latin1'))));
  const count = { statements: 0, first: 0, second: 0, onlySecond: 0, timeouts: 0, compared: 0, agreed: 0 };
  const times: { first: number[]; second: number[] } = { first: [], second: [] };
  for (const sql of corpus) {
    count.statements += 1;
    const start = process.hrtime.bigint();
    const { statements, syntaxError } = parser.parse(sql);
    const nanos = Number(process.hrtime.bigint() - start);
    const opinion = await second.ask(sql);
    if (syntaxError === null) count.first += 1;
    if (opinion === null) count.timeouts += 1;
    if (opinion === null || opinion.tables === null) continue;
    count.second += 1;
    const [statement] = statements;
    if (syntaxError !== null || statement === undefined) {
      count.onlySecond += 1;
      console.log(`only the second accepts: ${sql.slice(0, 200)}`);
      continue;
    }
    times.first.push(nanos);
    times.second.push(opinion.nanos);
    if (!COMPARED.has(statement.kind) || isBeyondSecond(sql)) continue;
    count.compared += 1;
    if (tablesOf(statement).join() === [...opinion.tables].sort().join()) count.agreed += 1;
    else console.log(`differ: ${sql.slice(0, 300)}\n   ${tablesOf(statement)} | ${[...opinion.tables].sort()}`);
  }
  await second.close();
  console.log(count);
  for (const name of ['first', 'second'] as const) {
    const sorted = times[name].sort((a, b) => a - b);
    const at = (q: number): string => ((sorted[Math.floor(sorted.length * q)] ?? 0) / 1000).toFixed(1);
    console.log(`${name}: p50 ${at(0.5)} us, p90 ${at(0.9)} us, p99 ${at(0.99)} us (statements that both accept)`);
  }
}

if (isMainThread) {
  await compare(process.argv[2] ?? 'test/sql/corpus');
} else {
  parentPort?.on('message', (sql: string) => {
    const start = process.hrtime.bigint();
    const tables = secondOpinion(sql);
    const nanos = Number(process.hrtime.bigint() - start);
    parentPort?.postMessage({ tables: tables === null ? null : [...tables], nanos } satisfies Opinion);
  });
}
