import type { Discovery } from '../discovery.js';
import type { Proposal } from '../proposal.js';
import { crossingPairs } from './crossings.js';
import { figure, minute, plural, short } from './format.js';
import type { Groups } from './groups.js';
import { type Html, html, NOTHING } from './html.js';

export function opening(discovery: Discovery, proposal: Proposal, groups: Groups): Html {
  const { cells } = discovery.matrix;
  const seen = cells.filter(({ access }) => access !== 'opaque');
  const count = (kind: 'join' | 'transaction'): number =>
    crossingPairs(discovery, groups, kind).reduce((sum, pair) => sum + pair.count + pair.refused, 0);
  const refused = cells.reduce((sum, cell) => sum + cell.refused, 0);
  return html`<header class="top">
<p class="kind">pgfig discovery</p>
<h1>Who uses which tables, and where to cut</h1>
<p class="source">From ${discovery.source}. ${span(discovery)}</p>
<dl class="totals">
${total(new Set(seen.map(({ table }) => table)).size, 'tables in use')}
${total(new Set(cells.map(({ service }) => service)).size, 'services')}
${total(
  seen.reduce((sum, cell) => sum + cell.statements, 0),
  'uses of a table by a statement',
)}
${total(count('join'), 'joins between domains')}
${total(count('transaction'), 'transactions between domains')}
${total(proposal.sharedWriters.length, 'tables with several writers')}
${refused > 0 ? total(refused, 'uses refused') : null}
</dl>
</header>`;
}

const total = (value: number, text: string): Html =>
  html`<div title="${figure(value)}"><dt>${text}</dt><dd>${value < 10_000 ? figure(value) : short(value)}</dd></div>`;

function span({ since, until }: Discovery): string {
  const [from, to] = [minute(since), minute(until)];
  if (from === '' && to === '') return 'When the statements ran is not known.';
  if (from === '' || to === '' || since === null || until === null) {
    return from === '' ? `Up to ${to} UTC.` : `Since ${from} UTC.`;
  }
  const hours = (until - since) / 3_600_000;
  const length =
    hours < 1
      ? 'less than an hour'
      : hours < 48
        ? plural(Math.max(1, Math.round(hours)), 'hour')
        : plural(Math.round(hours / 24), 'day');
  return `${from} to ${to} UTC, ${length}.`;
}

/** Before everything else: whoever reads on should know that not splitting is an answer. */
export function advice({ advice: sentences }: Proposal): Html {
  if (sentences.length === 0) return NOTHING;
  return html`<section id="advice" class="advice">
<h2>Before you split: reasons not to</h2>
<ul>${sentences.map((sentence) => html`<li>${sentence}</li>`)}</ul>
</section>`;
}
