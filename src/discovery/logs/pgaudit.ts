/**
 * A line of pgaudit: `AUDIT: SESSION,33,1,READ,SELECT,TABLE,public.account,"select 1",<not logged>`, and the number of
 * rows at the end with pgaudit.log_rows (pgaudit's README, "Format"; append_valid_csv and log_audit_event in pgaudit.c).
 */
export interface AuditLine {
  /** One execution of the session; several lines may tell of it. */
  readonly statementId: number;
  /** 1 is what the client sent; others run within it. */
  readonly substatementId: number;
  /** 'READ', 'WRITE', 'DDL', 'ROLE', 'FUNCTION', 'MISC'. */
  readonly class: string;
  /** 'SELECT', 'CREATE TABLE' ... */
  readonly command: string;
  /** 'TABLE', 'VIEW', 'INDEX' ...; '' where it names none. */
  readonly objectType: string;
  /** 'public.account', quoted as SQL wants it; '' where it names none. */
  readonly objectName: string;
  /** null: it was not logged, or with an earlier line of the same statement. */
  readonly text: string | null;
  /** Rows read or changed; null where they are not logged. */
  readonly rows: number | null;
}

const MARK = 'AUDIT: ';
/** pgaudit.log_statement off; pgaudit.log_statement_once on. */
const NO_TEXT: ReadonlySet<string> = new Set(['<not logged>', '<previously logged>', '<none>']);

/** What a log message of pgaudit says; null where it is none. */
export function auditLineOf(message: Buffer): AuditLine | null {
  if (message.toString('latin1', 0, MARK.length) !== MARK) return null;
  const fields = fieldsOf(message.toString('utf8', MARK.length));
  const [kind, statement, substatement, className, command, objectType, objectName, text] = fields;
  if ((kind !== 'SESSION' && kind !== 'OBJECT') || fields.length < 8) return null;
  const statementId = Number(statement);
  const substatementId = Number(substatement);
  if (!Number.isInteger(statementId) || !Number.isInteger(substatementId)) return null;
  const rows = fields.length > 9 ? Number(fields[9]) : Number.NaN;
  return {
    statementId,
    substatementId,
    class: className ?? '',
    command: command ?? '',
    objectType: objectType ?? '',
    objectName: objectName ?? '',
    text: text === undefined || text === '' || NO_TEXT.has(text) ? null : text,
    rows: Number.isInteger(rows) ? rows : null,
  };
}

function fieldsOf(line: string): string[] {
  const fields: string[] = [];
  for (const [, quoted, plain] of line.matchAll(/(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/g)) {
    fields.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
  }
  // The pattern finds an empty field behind the last one.
  return fields.slice(0, -1);
}
