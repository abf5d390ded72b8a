import type { ErrorCode } from '../../errors/error-table.js';
import { PgfigError } from '../../errors/pgfig-error.js';

/** What every command ends with (docs/bad-input.md). */
export const EXIT = { done: 0, no: 1, wrongUse: 2, unreachable: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const WRONG_USE: readonly ErrorCode[] = [
  'CONFIG_INVALID',
  'RULES_INVALID',
  'FILE_UNREADABLE',
  'FILE_EXISTS',
  'NAME_UNKNOWN',
];
const UNREACHABLE: readonly ErrorCode[] = [
  'BACKEND_UNREACHABLE',
  'BACKEND_LOGIN_FAILED',
  'BACKEND_LOST',
  'ADMIN_UNREACHABLE',
];

export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof PgfigError)) return EXIT.no;
  if (WRONG_USE.includes(error.code)) return EXIT.wrongUse;
  return UNREACHABLE.includes(error.code) ? EXIT.unreachable : EXIT.no;
}

/** An error as the operator sees it: what, then what can be done; a stack only for what is a bug. */
export function errorText(error: unknown): string {
  if (!(error instanceof PgfigError)) {
    return `pgfig: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
  const lines = [error.message.includes('\n') ? error.message : `pgfig: ${error.message}`];
  if (error.detail !== undefined) lines.push(`detail: ${error.detail}`);
  if (error.hint !== undefined) lines.push(`hint: ${error.hint}`);
  return lines.join('\n');
}
