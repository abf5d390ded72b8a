/**
 * pgsql-ast-parser reads the same statements with a grammar of its own: where both accept one, they must find the
 * same tables. It is given no text with an unclosed quote, which it may take exponential time for.
 */
import t from 'tap';
import { parser, readCaseFiles, readCorpus } from './helpers.js';
import { isBeyondSecond, secondOpinion } from './second-opinion.js';

/** Not understood the same way by design: pgsql-ast-parser has no say about what is written here. */
const KINDS = new Set(['select', 'values', 'insert', 'update', 'delete', 'truncate']);

const CASES = readCaseFiles().flatMap(({ text }) =>
  [...text.matchAll(/^- sql: (".*")$/gm)].map((match) => JSON.parse(match[1] ?? '""') as string),
);

t.test('both parsers find the same tables', (t) => {
  let compared = 0;
  const corpus = [...readCorpus(), ...CASES];
  for (const sql of corpus) {
    const { statements } = parser.parse(sql);
    const [statement] = statements;
    if (statement === undefined || !KINDS.has(statement.kind)) continue;
    if (isBeyondSecond(sql)) continue;
    const second = secondOpinion(sql);
    if (second === null) continue;
    compared += 1;
    const first = new Set(
      [...statement.reads, ...statement.writes].map(({ schema, name }) =>
        schema === undefined ? name : `${schema}.${name}`,
      ),
    );
    t.same([...first].sort(), [...second].sort(), sql);
  }
  t.comment(`${compared} of ${corpus.length} statements compared`);
  t.ok(compared > 300, `${compared} compared`);
  t.end();
});

t.test('the corpus is read without an error', (t) => {
  for (const sql of readCorpus()) t.equal(parser.parse(sql).syntaxError, null, sql);
  t.end();
});
