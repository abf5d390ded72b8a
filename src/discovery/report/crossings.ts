import type { Pair } from '../../matrix/matrix.js';
import type { Discovery } from '../discovery.js';
import { compare, figure, minute, plural } from './format.js';
import type { Groups } from './groups.js';
import { key } from './heat-map.js';
import { type Html, html, NOTHING } from './html.js';

/** With their statements; the next ones in one line each, and behind a fold. */
const IN_FULL = 40;
const IN_SHORT = 400;

/** What a cut between groups severs, the most frequent first. */
export function crossingPairs(discovery: Discovery, groups: Groups, kind: Pair['kind']): readonly Pair[] {
  return discovery.matrix.pairs
    .filter((pair) => pair.kind === kind && groups.parts(pair.a, pair.b))
    .sort(
      (x, y) =>
        y.count + y.refused - (x.count + x.refused) ||
        compare(x.a, y.a) ||
        compare(x.b, y.b) ||
        compare(x.service, y.service),
    );
}

export function crossings(discovery: Discovery, groups: Groups): Html {
  const joins = crossingPairs(discovery, groups, 'join');
  const transactions = crossingPairs(discovery, groups, 'transaction');
  return html`<section id="joins">
<h2>Joins between domains</h2>
<p>Each of these statements needs both tables in one database. After a cut it has to become two statements, a copy of the data that it reads, or a call.</p>
${listOf(joins, groups, 'Statements')}
</section>
<section id="transactions">
<h2>Transactions between domains</h2>
<p>Each of these transactions writes both tables. After a cut the two no longer change together: it needs an outbox, a saga, or the two tables on one side.</p>
${listOf(transactions, groups, 'Transactions')}
</section>`;
}

function listOf(pairs: readonly Pair[], groups: Groups, counted: string): Html {
  if (pairs.length === 0) return html`<p class="none">None was seen.</p>`;
  const total = pairs.reduce((sum, { count, refused }) => sum + count + refused, 0);
  const rest = pairs.slice(IN_FULL);
  return html`<p>${plural(pairs.length, 'entry', 'entries')}, ${figure(total)} ${counted.toLowerCase()} in all.</p>
${tableOf(pairs.slice(0, IN_FULL), groups, counted, true)}
${rest.length === 0 ? null : folded(rest, groups, counted)}`;
}

function folded(rest: readonly Pair[], groups: Groups, counted: string): Html {
  const left = rest.length - IN_SHORT;
  return html`<details><summary>${figure(rest.length)} less frequent</summary>
${tableOf(rest.slice(0, IN_SHORT), groups, counted, false)}
${left > 0 ? html`<p>${figure(left)} more are not listed.</p>` : null}</details>`;
}

function tableOf(pairs: readonly Pair[], groups: Groups, counted: string, withExamples: boolean): Html {
  return html`<div class="wide"><table class="list">
<thead><tr><th scope="col" class="number">${counted}</th><th scope="col" class="number">Refused</th><th scope="col">Tables</th><th scope="col">Service</th><th scope="col">Last seen (UTC)</th></tr></thead>
${pairs.map((pair) => entry(pair, groups, withExamples))}
</table></div>`;
}

function entry(pair: Pair, groups: Groups, withExamples: boolean): Html {
  const table = (name: string): Html => html`${key(groups.of(name))} <code>${name}</code>`;
  return html`<tbody><tr><td class="number">${figure(pair.count)}</td><td class="number">${pair.refused === 0 ? '-' : figure(pair.refused)}</td><td>${table(pair.a)} <span class="with">with</span> ${table(pair.b)}</td><td>${pair.service}</td><td class="time">${minute(pair.last)}</td></tr>${withExamples ? examples(pair) : null}</tbody>
`;
}

function examples({ exampleA, exampleB }: Pair): Html {
  const shown = [...new Set([exampleA, exampleB])].filter((text) => text !== '');
  if (shown.length === 0) return NOTHING;
  return html`<tr class="example"><td colspan="2"></td><td colspan="3">${shown.map(statement)}</td></tr>`;
}

export const statement = (text: string): Html => html`<pre>${text}</pre>`;
