import type { TestPgfig } from '../support/pgfig.js';

/** Has pgfig store what it has counted until now: all that clients have been answered. */
export async function flush(pgfig: TestPgfig): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${pgfig.adminPort}/api/matrix/flush`, { method: 'POST' });
  if (!response.ok) throw new Error(`the matrix was not stored: ${await response.text()}\n${pgfig.logs()}`);
}
