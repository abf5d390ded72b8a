import type { MicroResult } from '../report/results.js';
import { FRAMER_PARTS } from './framer.js';
import { measurePart } from './measure.js';
import { routeParts } from './route.js';
import { sqlParts } from './sql-parts.js';

/** Measures every part whose name is wanted; about a second each. Parsers are compared by micro/sql.js. */
export async function runMicro(wanted: (name: string) => boolean): Promise<MicroResult[]> {
  const parts = [...FRAMER_PARTS, ...(await routeParts()), ...(await sqlParts())];
  return parts.filter(({ name }) => wanted(name)).map(measurePart);
}
