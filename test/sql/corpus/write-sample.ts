/**
 * Writes sample.sql, one statement a line: every twentieth of the generated corpus, for tests that want some real SQL
 * without loading six query builders. Run it from the repo's root after `npm run build:all`:
 *   node build/test/sql/corpus/write-sample.js
 */
import { writeFileSync } from 'node:fs';
import { makeCorpus } from './index.js';

const statements = (await makeCorpus())
  .filter(({ source }) => source !== 'written by hand')
  .flatMap((source) => source.statements)
  .filter((sql, i) => i % 20 === 0 && !sql.includes('\n') && !sql.includes('--'));
writeFileSync('test/sql/corpus/sample.sql', `${statements.join('\n')}\n`);
console.log(`${statements.length} statements`);
