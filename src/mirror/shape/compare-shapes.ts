import { compareColumns } from './compare-columns.js';
import { compareTypes } from './compare-types.js';
import type { Constraint, TableDetails, UniqueIndex } from './read-details.js';
import { type Finding, finder, type Say, sameDefinition } from './shape-finding.js';

/**
 * Whether rows of the source's table fit the target's. A problem is what would refuse a row or change it, or what
 * the relay cannot do without; a note is a difference that shows only when the target becomes authoritative.
 * Pure; compares by meaning where PostgreSQL's versions spell differently.
 *
 * @param source null: the table is not there
 */
export function compareShapes(table: string, source: TableDetails | null, target: TableDetails | null): Finding[] {
  const { findings, say } = finder(table);
  if (source === null) say('problem', `${table} does not exist in the source. Correct the domain's rule`);
  else if (target === null) say('problem', `${table} does not exist in the target. Create it there`);
  else {
    compareKinds(source, target, say);
    if (findings.some(({ severity }) => severity === 'problem')) return findings;
    compareColumns(source, target, say);
    compareKeys(source, target, say);
    compareConstraints(source.constraints, target.constraints, say);
    compareTypes(source.types, target.types, say);
  }
  return findings;
}

function compareKinds(source: TableDetails, target: TableDetails, say: Say): void {
  for (const [side, { kind }] of [['source', source] as const, ['target', target] as const]) {
    if (kind !== 'r' && kind !== 'p')
      say('problem', `${source.name} is no table in the ${side}. Name the table that holds the rows`);
  }
  if (target.persistence !== 'p' && source.persistence === 'p')
    say('problem', 'the target is unlogged: a crash there would empty it unseen. ALTER TABLE ... SET LOGGED');
  if (target.rowSecurity !== source.rowSecurity)
    say('note', `row level security is on in the ${target.rowSecurity ? 'target' : 'source'} only`);
}

/** As SQL shows it: `(a, lower(b)) WHERE c`. */
const indexText = ({ parts, predicate }: UniqueIndex): string =>
  `(${parts.join(', ')})${predicate === '' ? '' : ` WHERE ${predicate}`}`;

const includesAll = (all: readonly string[], some: readonly string[]): boolean =>
  some.every((one) => all.some((other) => sameDefinition(one, other)));

/** Whether rows that satisfy `have` always satisfy `wanted`. */
function implies(have: UniqueIndex, wanted: UniqueIndex): boolean {
  if (!includesAll(wanted.parts, have.parts)) return false;
  if (have.predicate !== '' && !sameDefinition(have.predicate, wanted.predicate)) return false;
  return have.nullsNotDistinct || !wanted.nullsNotDistinct;
}

function compareKeys(source: TableDetails, target: TableDetails, say: Say): void {
  const primary = source.uniques.find((index) => index.primary) ?? source.uniques.find((index) => index.usableAsKey);
  const sameColumns = (index: UniqueIndex): boolean =>
    primary !== undefined &&
    index.usableAsKey &&
    index.parts.length === primary.parts.length &&
    includesAll(index.parts, primary.parts);
  if (primary !== undefined && !target.uniques.some(sameColumns))
    say('problem', `the target has no primary or unique key ${indexText(primary)}. Create it: rows are found by it`);

  for (const index of target.uniques.filter((one) => !source.uniques.some((have) => implies(have, one))))
    say('problem', `only the target has the unique index ${index.name} ${indexText(index)}. ${RECONCILE}`);
  for (const index of source.uniques.filter((one) => !target.uniques.some((have) => implies(have, one))))
    if (index !== primary) say('note', `only the source has the unique index ${index.name} ${indexText(index)}`);
}

const RECONCILE = 'Drop it, or create it in the source too: it would refuse rows';
const KINDS = { c: 'check constraint', x: 'exclusion constraint', f: 'foreign key' } as const;

function compareConstraints(source: readonly Constraint[], target: readonly Constraint[], say: Say): void {
  const inBoth = (one: Constraint, others: readonly Constraint[]): boolean =>
    others.some((other) => other.type === one.type && sameDefinition(one.definition, other.definition));
  const text = ({ type, name, definition }: Constraint): string => `${KINDS[type]} ${name}, ${definition}`;
  for (const one of target.filter((constraint) => !inBoth(constraint, source))) {
    // PostgreSQL 18: what is not enforced refuses nothing.
    const enforced = !/ NOT ENFORCED$/.test(one.definition);
    say(enforced ? 'problem' : 'note', `only the target has the ${text(one)}${enforced ? `. ${RECONCILE}` : ''}`);
  }
  for (const one of source.filter((constraint) => !inBoth(constraint, target)))
    say('note', `only the source has the ${text(one)}`);
}
