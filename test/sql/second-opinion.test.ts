/**
 * pgsql-ast-parser reads the same statements with a grammar of its own: where both accept one, they must find the
 * same tables. The corpus is what query builders and ORMs really send, workloads, migrations, psql's own queries,
 * and the statements of the other tests.
 */
import t from 'tap';
import type { Statement } from '../../src/sql/statement.js';
import { readCases } from '../ground-truth/case-files.js';
import { makeCorpus, type Source } from './corpus/index.js';
import { hasPsql, psqlStatements } from './corpus/psql.js';
import { parser, readCaseFiles } from './helpers.js';
import { isBeyondSecond } from './second-opinion.js';
import { SecondOpinions } from './second-opinions.js';

const CASES = readCaseFiles().flatMap(({ text }) =>
  [...text.matchAll(/^- sql: (".*")$/gm)].map((match) => JSON.parse(match[1] ?? '""') as string),
);

/** Kinds whose tables both name in full. Of the others pgsql-ast-parser knows only the form. */
const COMPARED = new Set(['select', 'values', 'insert', 'update', 'delete', 'truncate', 'ddl']);

const corpus: Source[] = [
  ...(await makeCorpus()),
  { source: "the parser's own cases", statements: CASES },
  { source: 'ground truth', statements: readCases().map(({ sql }) => sql) },
  { source: 'psql', statements: await psqlStatements(t) },
];
const statements = [...new Set(corpus.flatMap((source) => source.statements))];

t.test('the corpus is large, and all of it is SQL', async (t) => {
  for (const { source, statements } of corpus) t.comment(`${statements.length} of ${source}`);
  t.ok(statements.length >= 4000, `${statements.length} distinct statements`);
  for (const { source, statements } of corpus) {
    const floor = source === 'psql' && !hasPsql() ? 0 : 20;
    t.ok(statements.length >= floor, `${statements.length} of ${source}`);
    // The parser's cases hold what does not parse, on purpose.
    if (source === "the parser's own cases") continue;
    for (const sql of statements) if (parser.parse(sql).syntaxError !== null) t.fail(`${source}: ${sql}`);
  }
});

t.test('both parsers find the same tables', { timeout: 120_000 }, async (t) => {
  const second = new SecondOpinions();
  t.teardown(() => second.close());
  let [compared, accepted] = [0, 0];
  const unanswered: string[] = [];
  for (const sql of statements) {
    const { statements: first, syntaxError } = parser.parse(sql);
    if (syntaxError !== null || first.length !== 1 || first.some(({ kind }) => !COMPARED.has(kind))) continue;
    const tables = await second.ask(sql);
    if (tables === 'no answer') unanswered.push(sql);
    if (tables === null || tables === 'no answer') continue;
    accepted += 1;
    if (isBeyondSecond(sql)) continue;
    compared += 1;
    const expected = tablesOf(first);
    const told = tables.map((name) => name.replace(/^pg_temp\./, '')).sort();
    if (expected.join() !== told.join()) t.strictSame(expected, told, sql);
  }
  t.comment(`${compared} compared; ${accepted} of ${statements.length} accepted by both`);
  for (const sql of unanswered) t.comment(`no answer in time: ${sql.slice(0, 200)}`);
  t.ok(compared >= 3500, `${compared} compared`);
  t.ok(unanswered.length <= statements.length / 100, `${unanswered.length} without an answer`);
});

function tablesOf(statements: readonly Statement[]): string[] {
  const tables = new Set<string>();
  for (const { reads, writes, sequences, effects } of statements) {
    const names = [...reads, ...writes, ...sequences];
    for (const { schema, name } of names) tables.add(schema === undefined ? name : `${schema}.${name}`);
    for (const effect of effects) if (effect.type === 'create-temp') tables.add(effect.table);
  }
  return [...tables].map((name) => name.replace(/^pg_temp\./, '')).sort();
}
