import { readFileSync } from 'node:fs';

/** From package.json, which lies above build/src/operator. */
export const VERSION: string = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
).version;
