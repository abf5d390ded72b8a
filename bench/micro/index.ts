import type { MicroResult } from '../report/results.js';
import { measurePart, type Part } from './measure.js';

/** Measures every part whose name is wanted. */
export async function runMicro(wanted: (name: string) => boolean): Promise<MicroResult[]> {
  const parts: readonly Part[] = [];
  return parts.filter(({ name }) => wanted(name)).map(measurePart);
}
