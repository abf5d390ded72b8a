import { loadParser } from '../../src/sql/parser.js';
import { keyOf, readText } from '../../src/sql/read-text.js';
import { StatementCache } from '../../src/sql/statement-cache.js';
import type { Part } from './measure.js';
import { TEXTS } from './statements.js';

/** The statement cache with each kind of text: a hit, and a miss with its parse and its facts. */
export async function sqlParts(): Promise<readonly Part[]> {
  const parser = await loadParser();
  return TEXTS.flatMap(([name, sql]): Part[] => {
    const text = Buffer.from(sql);
    const cache = new StatementCache<object>(parser, { entries: 1_000, bytes: 16 * 1024 * 1024 });
    return [
      {
        name: `sql/hit/${name}`,
        run: (times) => {
          for (let i = 0; i < times; i++) cache.get(text, 0, text.length, true);
          return cache.stats.hits;
        },
      },
      {
        name: `sql/miss/${name}`,
        run: (times) => {
          let statements = 0;
          for (let i = 0; i < times; i++) {
            const known = keyOf(text, 0, text.length, true);
            statements += readText(parser, known, text, 0, text.length, true).statements.length;
          }
          return statements;
        },
      },
    ];
  });
}
