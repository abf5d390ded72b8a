import type pg from 'pg';
import type { Mirror } from '../mirror.js';

export async function refuseWhatCannotBe(
  _source: pg.ClientBase,
  _target: pg.ClientBase,
  _mirror: Mirror,
): Promise<void> {}
