/** What does not fit between a table of the source and the target's. */
export interface Finding {
  /** 'schema.table' */
  readonly table: string;
  /** problem: rows would be refused, changed or not found; note: nothing that the copy needs. */
  readonly severity: 'problem' | 'note';
  /** What differs, and for a problem what to do. */
  readonly text: string;
}

export type Say = (severity: Finding['severity'], text: string) => void;

export function finder(table: string): { readonly findings: Finding[]; readonly say: Say } {
  const findings: Finding[] = [];
  return { findings, say: (severity, text) => void findings.push({ table, severity, text }) };
}

/** A cast, as the server writes it back: `::text`, `::character varying(20)`, `::public.mood[]`. */
const CAST =
  /::(?:"[^"]+"|[a-z_][\w]*)(?:\.(?:"[^"]+"|\w+))?(?: (?:varying|precision|with(?:out)? time zone))*(?:\(\d+(?:,\d+)?\))?(?:\[\])*/g;
const ASIDE = /( NOT VALID| NOT ENFORCED)+$/;

/**
 * Whether two definitions mean the same, as far as text tells: a dump that was restored has other casts and
 * parentheses than its original (`IN` over varchar), and what was added NOT VALID holds for new rows all the same.
 */
export function sameDefinition(a: string, b: string): boolean {
  return a === b || bare(a) === bare(b);
}

/** Without casts, parentheses and blanks; literals stay as they are. */
const bare = (definition: string): string =>
  definition
    .replace(ASIDE, '')
    .split(/('(?:[^']|'')*')/)
    .map((part, at) => (at % 2 === 1 ? part : part.replace(CAST, '').replace(/[()\s]/g, '')))
    .join('');
