import { PgfigError } from '../../errors/pgfig-error.js';
import type { ConsoleAnswer, ConsoleNotice } from '../../session/console/console.js';
import { isReload, showOf } from './commands.js';
import type { ConsoleSource } from './show.js';
import { rulesNotices } from './show-rules.js';
import { MOST_ROWS } from './show-traffic.js';

/**
 * Carries out a command of the console, in the control process.
 * @throws PgfigError RULES_INVALID or FILE_UNREADABLE from RELOAD; UNKNOWN_COMMAND
 */
export async function runCommand(source: ConsoleSource, name: string): Promise<ConsoleAnswer> {
  if (isReload(name)) return reload(source);
  const command = showOf(name);
  if (command === null) throw new PgfigError('UNKNOWN_COMMAND', `the console does not know "${name}"`);
  const rows = await command.rows(source);
  const notices: ConsoleNotice[] = [...command.notices(source)];
  if (rows.length > MOST_ROWS) {
    notices.push({ severity: 'WARNING', message: `there are more rows; the first ${MOST_ROWS} are shown` });
  }
  return { rows: rows.slice(0, MOST_ROWS), notices };
}

async function reload(source: ConsoleSource): Promise<ConsoleAnswer> {
  const { outcome, everywhere } = await source.reload();
  if (outcome.error !== null) {
    throw new PgfigError('RULES_INVALID', 'the rules folder has faults; the last good rules stay in effect', {
      detail: outcome.error.message,
      hint: 'Correct the files; they are read again by themselves. SHOW PENDING has one row for each fault.',
    });
  }
  const state = outcome.taken ? 'new rules took effect' : 'the rules are unchanged';
  const notices: ConsoleNotice[] = [{ severity: 'NOTICE', message: `${state}, version ${outcome.version}` }];
  for (const warning of outcome.warnings) notices.push({ severity: 'WARNING', message: warning });
  notices.push(...rulesNotices(source));
  if (!everywhere) {
    const message = 'some workers are busy and have not taken the rules yet; SHOW WORKERS says which';
    notices.push({ severity: 'WARNING', message });
  }
  return { rows: [], notices };
}
