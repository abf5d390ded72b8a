import { connectPg } from '../../backend/pg-client.js';
import type { Config } from '../../config/config.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import type { Access, Cell, Matrix, Pair } from '../../matrix/matrix.js';

const CELLS = `
  SELECT service, table_name, access, database, statements::float8, hidden::float8, errors::float8, refused::float8,
         rows::float8, seconds, extract(epoch FROM first_seen)::float8 * 1000,
         extract(epoch FROM last_seen)::float8 * 1000, example
  FROM pgfig.matrix ORDER BY table_name COLLATE "C", service COLLATE "C", access, database`;

const PAIRS = `
  SELECT service, kind, table_a, table_b, count::float8, refused::float8, extract(epoch FROM first_seen)::float8 * 1000,
         extract(epoch FROM last_seen)::float8 * 1000, example_a, example_b
  FROM pgfig.matrix_pairs ORDER BY count DESC, table_a COLLATE "C", table_b COLLATE "C", service COLLATE "C", kind`;

type CellRow = [string, string, Access, string, number, number, number, number, number, number, number, number, string];
type PairRow = [string, Pair['kind'], string, string, number, number, number, number, string, string];

/**
 * The matrix as the control database holds it. What a running pgfig has counted since its last flush is not in it.
 * @throws PgfigError BACKEND_UNREACHABLE, MATRIX_UNREADABLE
 */
export async function storedMatrix(config: Config): Promise<Matrix> {
  const client = await connectPg(config, config.control, 'pgfig matrix').catch((cause: unknown) => {
    throw new PgfigError('BACKEND_UNREACHABLE', `the control database cannot be reached: ${messageOf(cause)}`, {
      cause,
      hint: 'The matrix is kept there: start it, or correct control.url in pgfig.yaml.',
    });
  });
  try {
    await client.query('SET search_path = pg_catalog');
    const cells = await client.query<CellRow>({ text: CELLS, rowMode: 'array' });
    const pairs = await client.query<PairRow>({ text: PAIRS, rowMode: 'array' });
    return { cells: cells.rows.map(cellOf), pairs: pairs.rows.map(pairOf) };
  } catch (cause) {
    throw unreadable(cause);
  } finally {
    await client.end().catch(() => {});
  }
}

/** 42P01, 3F000: nothing has been stored yet. */
function unreadable(cause: unknown): PgfigError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  if (code === '42P01' || code === '3F000') {
    return new PgfigError('MATRIX_UNREADABLE', 'the control database holds no matrix yet', {
      cause,
      hint: 'Let traffic pass through pgfig for a moment, with matrix.enabled in pgfig.yaml; or read a log: pgfig discover --from-csvlog FILE.',
    });
  }
  return new PgfigError('MATRIX_UNREADABLE', `the matrix cannot be read: ${messageOf(cause)}`, { cause });
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

function cellOf(row: CellRow): Cell {
  const [service, table, access, database, statements, hidden, errors, refused, rows, seconds, first, last] = row;
  return {
    ...{ service, table, access, database, statements, hidden, errors, refused, rows, seconds },
    ...{ first, last, example: row[12] },
  };
}

function pairOf([service, kind, a, b, count, refused, first, last, exampleA, exampleB]: PairRow): Pair {
  return { service, kind, a, b, count, refused, first, last, exampleA, exampleB };
}
