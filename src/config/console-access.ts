import type { Config } from './config.js';
import { isLoopback } from './loopback.js';

/** The dbname under which the console answers, as `pgbouncer` is PgBouncer's. */
export const CONSOLE_DATABASE = 'pgfig';

/** Whether a client that asks for this dbname means the console: not where services are routed by that name. */
export function isConsole(config: Config, dbname: string): boolean {
  return dbname === CONSOLE_DATABASE && !consoleHidden(config);
}

/** Whether a user who has logged in may use the console. */
export function mayUseConsole(config: Config, user: string): boolean {
  return config.admin.users === null || config.admin.users.includes(user);
}

const consoleHidden = (config: Config): boolean => config.databases.get(config.default)?.dbname === CONSOLE_DATABASE;

/** What an operator should know of the console under this configuration, in sentences. */
export function consoleWarnings(config: Config): readonly string[] {
  const warnings: string[] = [];
  const { users } = config.admin;
  if (consoleHidden(config)) {
    warnings.push(
      `the dbname of the default database is ${CONSOLE_DATABASE}, so that the console cannot be reached. Give that database another dbname if you want the console`,
    );
  } else if (users !== null && users.length > 0 && config.auth.method === 'trust' && !isLoopback(config.listen.host)) {
    warnings.push(
      'auth.method is trust while listen.host is open to the network: whoever gives a name of admin.users may use the console. Choose another auth.method, or leave admin.users empty',
    );
  }
  return warnings;
}
