import type { TypeDetails } from './read-details.js';
import { type Say, sameDefinition } from './shape-finding.js';
import { literal } from './table-shape.js';

/** Types that somebody made: a column's type may have the same name on both sides and yet hold other values. */
export function compareTypes(source: readonly TypeDetails[], target: readonly TypeDetails[], say: Say): void {
  const there = new Map(target.map((type) => [type.name, type]));
  for (const type of source) {
    const other = there.get(type.name);
    // Where the target's column has another type altogether, the columns have told.
    if (other === undefined) continue;
    if (other.kind !== type.kind)
      say(
        'problem',
        `type ${type.name} is ${a(type.kind)} in the source and ${a(other.kind)} in the target. Make them alike`,
      );
    else if (type.kind === 'enum') compareLabels(type, other, say);
    else {
      compareParts(type, other, say);
      if (type.kind === 'domain') compareDomains(type, other, say);
    }
  }
}

const a = (kind: TypeDetails['kind']): string => (kind === 'enum' ? 'an enum' : `a ${kind}`);

function compareLabels({ name, parts }: TypeDetails, other: TypeDetails, say: Say): void {
  const renamed = renamedLabels(parts, other.parts);
  for (const [now, was] of renamed)
    say(
      'problem',
      `enum ${name} has ${literal(now)} where the target has ${literal(was)}: rows that were copied before a rename read ` +
        `otherwise there, and new ones are refused. If it was renamed, ALTER TYPE ${name} RENAME VALUE ${literal(was)} TO ` +
        `${literal(now)} in the target, then pgfig relay retry; else ALTER TYPE ... ADD VALUE`,
    );
  const missing = parts.filter((label) => !other.parts.includes(label) && !renamed.has(label));
  const extra = other.parts.filter((label) => !parts.includes(label) && ![...renamed.values()].includes(label));
  if (missing.length > 0)
    say(
      'problem',
      `enum ${name} lacks ${missing.map((label) => `'${label}'`).join(', ')} in the target. ALTER TYPE ... ADD VALUE`,
    );
  if (extra.length > 0)
    say('note', `enum ${name} has ${extra.map((label) => `'${label}'`).join(', ')} in the target only`);
  const common = parts.filter((label) => other.parts.includes(label));
  const order = other.parts.filter((label) => parts.includes(label));
  if (common.join('\0') !== order.join('\0'))
    say('note', `enum ${name} has its labels in another order in the target: it sorts differently`);
}

/** RENAME VALUE leaves a label its place. @returns label of the source -> label of the target */
function renamedLabels(source: readonly string[], target: readonly string[]): ReadonlyMap<string, string> {
  const renamed = new Map<string, string>();
  if (source.length !== target.length) return renamed;
  for (const [at, now] of source.entries()) {
    const was = target[at];
    if (was !== undefined && !target.includes(now) && !source.includes(was)) renamed.set(now, was);
  }
  return renamed;
}

function compareParts({ name, kind, parts }: TypeDetails, other: TypeDetails, say: Say): void {
  if (parts.join('\0') === other.parts.join('\0')) return;
  say(
    'problem',
    `${kind} ${name} is (${parts.join(', ')}) in the source and (${other.parts.join(', ')}) in the target. Make them alike`,
  );
}

function compareDomains(source: TypeDetails, target: TypeDetails, say: Say): void {
  if (target.notNull && !source.notNull)
    say('problem', `domain ${source.name} is NOT NULL in the target only. ALTER DOMAIN ... DROP NOT NULL`);
  const only = (these: TypeDetails, those: TypeDetails): TypeDetails['checks'] =>
    these.checks.filter((one) => !those.checks.some((other) => sameDefinition(one.definition, other.definition)));
  for (const { name, definition } of only(target, source))
    say(
      'problem',
      `domain ${source.name} has the constraint ${name}, ${definition}, in the target only. Drop it: it would refuse rows`,
    );
  for (const { name, definition } of only(source, target))
    say('note', `domain ${source.name} has the constraint ${name}, ${definition}, in the source only`);
}
