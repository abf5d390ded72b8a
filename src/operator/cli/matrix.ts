import type { Writable } from 'node:stream';
import { loadConfig } from '../../config/load.js';
import { usesOf } from '../../matrix/letters.js';
import type { Matrix } from '../../matrix/matrix.js';
import { MATRIX_SCHEMA } from '../matrix/matrix-schema.js';
import { currentMatrix } from './current-matrix.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { matrixCsv } from './matrix-csv.js';
import { matrixJson } from './matrix-json.js';
import { matrixTable, type TableOrder } from './matrix-table.js';
import { matches } from './name-pattern.js';

export interface MatrixOptions {
  readonly config: string;
  /** Patterns with * and ?; none: all. */
  readonly service?: readonly string[];
  readonly table?: readonly string[];
  readonly sort?: TableOrder;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly schema?: boolean;
}

/**
 * `pgfig matrix`: services across, tables down, as the control database holds it. A running pgfig is asked to store
 * first what it has counted; where none runs here, what is stored is shown.
 *
 * @throws PgfigError CONFIG_INVALID, FILE_UNREADABLE, BACKEND_UNREACHABLE, MATRIX_UNREADABLE
 */
export async function matrix(options: MatrixOptions, output: Writable = process.stdout): Promise<ExitCode> {
  if (options.schema) {
    output.write(MATRIX_SCHEMA.trimStart());
    return EXIT.done;
  }
  const config = loadConfig(options.config);
  const shown = chosen(await currentMatrix(config), options);
  if (options.json) output.write(matrixJson(shown));
  else if (options.csv) output.write(matrixCsv(usesOf(shown.cells)));
  else output.write(matrixTable(shown, options.sort ?? 'table', widthOf(output)));
  return EXIT.done;
}

function chosen({ cells, pairs }: Matrix, { service, table }: MatrixOptions): Matrix {
  return {
    cells: cells.filter((cell) => matches(cell.service, service) && matches(cell.table, table)),
    pairs: pairs.filter((pair) => matches(pair.service, service) && (matches(pair.a, table) || matches(pair.b, table))),
  };
}

/** A file or pipe takes lines of any length. */
const widthOf = (output: Writable): number =>
  'columns' in output && typeof output.columns === 'number' ? output.columns : Number.POSITIVE_INFINITY;
