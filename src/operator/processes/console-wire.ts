import { ERROR_TABLE, type ErrorCode } from '../../errors/error-table.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import type { ConsoleAnswer } from '../../session/console/console.js';

/** What a command of the console came to, as it crosses the pipes: JSON text that the primary does not read. */
type Outcome = { readonly answer: ConsoleAnswer } | { readonly error: Failure };

interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
}

export const answerToText = (answer: ConsoleAnswer): string => JSON.stringify({ answer } satisfies Outcome);

export function errorToText(raised: unknown): string {
  if (!(raised instanceof PgfigError)) {
    const message = `unexpected error: ${raised instanceof Error ? raised.message : String(raised)}`;
    return JSON.stringify({ error: { code: 'INTERNAL', message } } satisfies Outcome);
  }
  const { code, message, detail, hint } = raised;
  const error = { code, message, ...(detail !== undefined && { detail }), ...(hint !== undefined && { hint }) };
  return JSON.stringify({ error } satisfies Outcome);
}

/** @throws PgfigError the error that the text holds */
export function answerFromText(text: string): ConsoleAnswer {
  const outcome = JSON.parse(text) as Outcome;
  if ('answer' in outcome) return outcome.answer;
  const { code, message, ...details } = outcome.error;
  throw new PgfigError(Object.hasOwn(ERROR_TABLE, code) ? code : 'INTERNAL', message, details);
}

/** Nobody is there to answer: the control process is being replaced. */
export const UNAVAILABLE: string = errorToText(
  new PgfigError('CONSOLE_UNAVAILABLE', 'the control process, which answers the console, is not running'),
);
