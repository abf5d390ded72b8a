import { readFileSync } from 'node:fs';
import path from 'node:path';
import { migrations } from './migrations.js';
import { fromDrizzle } from './orm/drizzle.js';
import { fromKnex } from './orm/knex.js';
import { fromKysely } from './orm/kysely.js';
import { fromObjection } from './orm/objection.js';
import { fromSequelize } from './orm/sequelize.js';
import { fromTypeorm } from './orm/typeorm.js';
import { workloads } from './workloads.js';

export interface Source {
  readonly source: string;
  readonly statements: readonly string[];
}

/** Tests run from build/; the written statements stay where they are. */
const HERE = path.join(import.meta.dirname, '../../../../test/sql/corpus');

/** Every statement of the corpus that needs no server to be made, each once, by where it comes from. */
export async function makeCorpus(): Promise<Source[]> {
  const sources: Source[] = [
    { source: 'knex', statements: fromKnex() },
    { source: 'kysely', statements: await fromKysely() },
    { source: 'objection', statements: await fromObjection() },
    { source: 'sequelize', statements: await fromSequelize() },
    { source: 'typeorm', statements: await fromTypeorm() },
    { source: 'drizzle', statements: await fromDrizzle() },
    ...workloads(),
    { source: 'migrations and administration', statements: migrations() },
    { source: 'written by hand', statements: readFileSync(path.join(HERE, 'handwritten.sql'), 'utf8').split('\n') },
  ];
  const seen = new Set(['']);
  return sources.map(({ source, statements }) => ({
    source,
    statements: statements.map((sql) => sql.trim()).filter((sql) => !seen.has(sql) && seen.add(sql)),
  }));
}
