import { IMMUTABLE_FUNCTIONS, STABLE_FUNCTIONS, VOLATILE_FUNCTIONS } from './builtin-functions.data.js';
import type { FunctionName } from './statement.js';

export type Volatility = 'volatile' | 'stable' | 'immutable';

const VOLATILITY = new Map<string, Volatility>();
for (const name of IMMUTABLE_FUNCTIONS.trim().split(/\s+/)) VOLATILITY.set(name, 'immutable');
for (const name of STABLE_FUNCTIONS.trim().split(/\s+/)) VOLATILITY.set(name, 'stable');
for (const name of VOLATILE_FUNCTIONS.trim().split(/\s+/)) VOLATILITY.set(name, 'volatile');

/** The schemas whose functions are PostgreSQL's own. */
const OWN_SCHEMAS = new Set(['pg_catalog', 'information_schema']);

/**
 * Whether a name is one of PostgreSQL's own functions, and how volatile; null where it is not. A name without a
 * schema is taken for PostgreSQL's own where there is one: pg_catalog comes first in every usual search_path.
 */
export function builtinVolatility(name: FunctionName): Volatility | null {
  if (name.schema !== undefined && !OWN_SCHEMAS.has(name.schema)) return null;
  return VOLATILITY.get(name.name) ?? (name.schema === undefined ? null : 'stable');
}

/**
 * Stable functions whose result hangs on the moment, the session or the server and not on the rows alone.
 * All that begin with pg_ (sizes, statistics, snapshots) count too, see `dependsOnMore`.
 */
const STABLE_BUT_PARTICULAR = new Set([
  'now',
  'transaction_timestamp',
  'statement_timestamp',
  'current_database',
  'current_schema',
  'current_schemas',
  'current_setting',
  'current_user',
  'session_user',
  'user',
  'getpgusername',
  'inet_client_addr',
  'inet_client_port',
  'inet_server_addr',
  'inet_server_port',
  'txid_current',
  'txid_current_if_assigned',
  'txid_current_snapshot',
  'version',
]);

/** Whether two databases with the same rows may answer differently. `args` counts the call's arguments. */
export function dependsOnMore(name: string, volatility: Volatility, args: number): boolean {
  if (volatility === 'volatile') return true;
  if (volatility === 'immutable') return false;
  // age(timestamp) with one argument counts from current_date.
  return STABLE_BUT_PARTICULAR.has(name) || name.startsWith('pg_') || (name === 'age' && args === 1);
}
