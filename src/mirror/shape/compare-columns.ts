import type { ColumnDetails, TableDetails } from './read-details.js';
import { type Say, sameDefinition } from './shape-finding.js';

/** Columns are matched by name: their order may differ. */
export function compareColumns(source: TableDetails, target: TableDetails, say: Say): void {
  const there = new Map(target.columns.map((column) => [column.name, column]));
  for (const column of source.columns) {
    const other = there.get(column.name);
    if (other === undefined) say('problem', `the target has no column ${column.name} (${column.type}). Add it`);
    else compareColumn(column, other, say);
  }
  const here = new Set(source.columns.map(({ name }) => name));
  for (const column of target.columns.filter(({ name }) => !here.has(name))) sayExtra(column, say);
  for (const column of target.columns) sayFolding(column, target, source, say);
}

function compareColumn(source: ColumnDetails, target: ColumnDetails, say: Say): void {
  const { name } = source;
  if (source.type !== target.type)
    say('problem', `column ${name} is ${source.type} in the source and ${target.type} in the target. ${MAKE_ALIKE}`);
  compareGenerated(source, target, say);
  if (target.notNull && !source.notNull)
    say('problem', `column ${name} is NOT NULL in the target only. Drop that, or set it in the source too`);
  if (source.notNull && !target.notNull) say('note', `column ${name} is NOT NULL in the source only`);
  if (source.identity !== target.identity)
    say('note', `column ${name} is ${identityText(source)} in the source and ${identityText(target)} in the target`);
  if (!sameDefinition(source.default, target.default))
    say(
      'note',
      `column ${name} has the default ${orNone(source.default)} in the source and ${orNone(target.default)} in the target`,
    );
  if (source.collation !== target.collation)
    say(
      'note',
      `column ${name} has collation ${orNone(source.collation)} in the source and ${orNone(target.collation)} in the target: it sorts differently`,
    );
}

const MAKE_ALIKE = 'Make them alike: values travel as text and are compared as text';

function compareGenerated(source: ColumnDetails, target: ColumnDetails, say: Say): void {
  const { name } = source;
  if (source.generated === '' && target.generated !== '')
    say(
      'problem',
      `column ${name} is generated in the target only, which takes no value for it. Make it a plain column there`,
    );
  else if (source.generated !== '' && target.generated === '')
    say(
      'problem',
      `column ${name} is generated in the source only, and generated columns are not copied. Generate it in the target too`,
    );
  else if (!sameDefinition(source.generated, target.generated))
    say(
      'problem',
      `column ${name} is generated as ${source.generated} in the source and as ${target.generated} in the target. ${MAKE_ALIKE}`,
    );
}

/** A row of the source brings nothing for it. */
function sayExtra({ name, notNull, default: value, generated, identity }: ColumnDetails, say: Say): void {
  if (notNull && value === '' && generated === '' && identity === '')
    say(
      'problem',
      `only the target has the column ${name}, NOT NULL without a default. Give it a default, or drop NOT NULL`,
    );
  else
    say('note', `only the target has the column ${name}: the relay leaves it at its default when it puts a row anew`);
}

/** Two values that the source holds apart may be one to the target's unique index. */
function sayFolding(column: ColumnDetails, target: TableDetails, source: TableDetails, say: Say): void {
  const before = source.columns.find(({ name }) => name === column.name);
  if (column.deterministic || before === undefined || !before.deterministic) return;
  const index = target.uniques.find(({ parts }) => parts.some((part) => unquoted(part) === column.name));
  if (index !== undefined)
    say(
      'problem',
      `column ${column.name} has a nondeterministic collation in the target only, and ${index.name} is unique over it. Use the source's collation`,
    );
}

const unquoted = (part: string): string => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part);
const orNone = (text: string): string => (text === '' ? 'none' : text);
const identityText = ({ identity }: ColumnDetails): string =>
  identity === '' ? 'no identity' : `GENERATED ${identity === 'a' ? 'ALWAYS' : 'BY DEFAULT'} AS IDENTITY`;
