import type { Context, Cut, Proposal } from '../proposal.js';
import { figure, hundredths, plural, share } from './format.js';
import { type Html, html } from './html.js';
import { bar } from './writers.js';

const CUTS_IN_FULL = 8;
const CUTS_FOLDED = 60;
const TABLES_AT_MOST = 400;

export function proposalSection(proposal: Proposal): Html {
  const { contexts, unplaced, modularity } = proposal;
  return html`<section id="proposal">
<h2>Proposal: contexts, in the order to take them out</h2>
${
  contexts.length === 0
    ? html`<p class="none">There is too little to go by for a proposal.</p>`
    : html`<p>${plural(contexts.length, 'context')}; the reason for its place stands below each name. Modularity ${hundredths(modularity)}: ${
        modularity > 0.3 ? 'above 0.3, so the tables do fall into parts' : 'not above 0.3, so the parts are weak'
      }.</p>
<ol class="cards">${contexts.map(card)}</ol>`
}
${
  unplaced.length === 0
    ? null
    : html`<h3>Not placed</h3><p>${plural(unplaced.length, 'table')} without traffic and without a tie to any other, so nothing can be said of them:</p>${names(unplaced)}`
}
</section>`;
}

function card(context: Context, index: number): Html {
  const { name, tables, owner, writers, readers, cohesion, risk, reason, cuts } = context;
  const others = writers.filter((writer) => writer !== owner);
  return html`<li class="card"><article aria-labelledby="context-${index}">
<header><span class="place" aria-hidden="true">${index + 1}</span><h3 id="context-${index}">${name}</h3><span class="risk">risk <b>${hundredths(risk.score)}</b></span></header>
<p class="reason">${reason}</p>
<dl>
<dt>Tables</dt><dd>${names(tables)}</dd>
<dt>Owner</dt><dd>${owner ?? 'none: no service writes most of it'}</dd>
<dt>Other writers</dt><dd>${list(others)}</dd>
<dt>Readers</dt><dd>${list(readers)}</dd>
<dt>Cohesion</dt><dd>${bar(cohesion)} <span class="figures">${hundredths(cohesion)}</span></dd>
<dt>It cuts</dt><dd>${share(risk.cutShare)} of its ties: ${plural(risk.joinsCut, 'joining statement')}, ${plural(risk.transactionsCut, 'transaction')}, ${plural(risk.foreignKeysCut, 'foreign key')}. It has ${share(risk.writeShare)} of all writes.</dd>
</dl>
${cuts.length === 0 ? html`<p class="none">No tie leads out of it.</p>` : cutTables(cuts)}
</article></li>
`;
}

function cutTables(cuts: readonly Cut[]): Html {
  const rest = cuts.slice(CUTS_IN_FULL);
  const left = rest.length - CUTS_FOLDED;
  return html`${cutTable(cuts.slice(0, CUTS_IN_FULL))}${
    rest.length === 0
      ? null
      : html`<details><summary>${figure(rest.length)} lighter ties</summary>${cutTable(rest.slice(0, CUTS_FOLDED))}${
          left > 0 ? html`<p>${figure(left)} more are not listed.</p>` : null
        }</details>`
  }`;
}

function cutTable(cuts: readonly Cut[]): Html {
  return html`<div class="wide"><table class="list"><thead><tr><th scope="col">Ties that it cuts</th><th scope="col">to</th><th scope="col" class="number">Weight</th><th scope="col" class="number">Joins</th><th scope="col" class="number">Transactions</th><th scope="col">Definitions</th></tr></thead><tbody>
${cuts.map(
  (cut) =>
    html`<tr><td><code>${cut.table}</code></td><td><code>${cut.other}</code> <small>${cut.otherContext}</small></td><td class="number">${hundredths(cut.weight)}</td><td class="number">${some(cut.joins)}</td><td class="number">${some(cut.transactions)}</td><td class="definitions">${definitions(cut)}</td></tr>
`,
)}</tbody></table></div>`;
}

const some = (count: number): string => (count === 0 ? '-' : figure(count));

function definitions({ definitions: all }: Cut): string {
  if (all.length === 0) return '-';
  return `${all.slice(0, 4).join(', ')}${all.length > 4 ? ` and ${all.length - 4} more` : ''}`;
}

const list = (services: readonly string[]): string => (services.length === 0 ? 'none' : services.join(', '));

function names(tables: readonly string[]): Html {
  const left = tables.length - TABLES_AT_MOST;
  return html`<span class="names">${tables.slice(0, TABLES_AT_MOST).map((table) => html`<code>${table}</code> `)}${
    left > 0 ? `and ${figure(left)} more` : null
  }</span>`;
}
