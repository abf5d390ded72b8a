import type { Found } from './contexts.js';
import type { Context } from './proposal.js';

/**
 * The order in which to take contexts out: a few of the least risk first, to learn on; then the most entangled, while
 * the practice is fresh and there is time left; the easy ones last. So many of ten come first: three.
 */
const FIRST_SHARE = 0.25;

export function inOrder(found: readonly Found[]): readonly Context[] {
  const byRisk = found.toSorted((x, y) => x.risk.score - y.risk.score || (x.name < y.name ? -1 : 1));
  const first = byRisk.slice(0, Math.ceil(byRisk.length * FIRST_SHARE));
  const rest = byRisk.slice(first.length).reverse();
  const middle = rest.slice(0, Math.ceil(rest.length / 2));
  const last = rest.slice(middle.length);
  return [
    ...first.map((context) => ({ ...context, reason: `First, to learn on: ${figuresOf(context)}.` })),
    ...middle.map((context) => ({
      ...context,
      reason: `In the middle, as the most entangled of what is left: ${figuresOf(context)}.`,
    })),
    ...last.map((context) => ({
      ...context,
      reason: `Last, since it is easy by then, or stays as what the monolith becomes: ${figuresOf(context)}.`,
    })),
  ];
}

/** The figures that the risk is made of, as part of a sentence. */
function figuresOf({ risk, cuts, owner }: Found): string {
  const { cutShare, transactionsCut, joinsCut, foreignKeysCut, otherWriters } = risk;
  const [heaviest] = cuts;
  const parts = [
    cutShare === 0 ? 'nothing ties it to other contexts' : `${percent(cutShare)} of the weight of its ties is cut`,
    ...(cutShare === 0
      ? []
      : [transactionsCut === 0 ? 'no transaction is' : `${some(transactionsCut, 'transaction')} with it`]),
    ...(joinsCut === 0 ? [] : [some(joinsCut, 'join')]),
    ...(foreignKeysCut === 0 ? [] : [some(foreignKeysCut, 'foreign key')]),
    writersText(owner, otherWriters),
    ...(heaviest === undefined ? [] : [`the heaviest cut is ${heaviest.table} from ${heaviest.other}`]),
  ];
  return parts.join(', ');
}

function writersText(owner: string | null, others: number): string {
  if (owner === null) return others === 0 ? 'nobody writes it' : `${some(others, 'service')} write it and none owns it`;
  if (others === 0) return `${owner} alone writes it`;
  return `${some(others, 'service')} besides ${owner} ${others === 1 ? 'writes' : 'write'} it`;
}

const some = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const percent = (share: number): string => `${share > 0 && share < 0.01 ? '<1' : Math.round(100 * share)} %`;
