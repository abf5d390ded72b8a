import type { Config } from '../../config/config.js';
import type { Matrix } from '../../matrix/matrix.js';
import { storedMatrix } from '../matrix/stored-matrix.js';
import { adminUrl, askAdmin } from './admin-client.js';

/**
 * The stored matrix. A running pgfig is asked to store first what it has counted; where none runs here, what is stored
 * is given.
 * @throws PgfigError as storedMatrix
 */
export async function currentMatrix(config: Config): Promise<Matrix> {
  await askAdmin(`${adminUrl(config)}/api/matrix/flush`, config.admin.token, 'POST').catch(() => null);
  return storedMatrix(config);
}
