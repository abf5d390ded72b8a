import type { Discovery } from '../discovery.js';
import { statement } from './crossings.js';
import { compare, figure } from './format.js';
import { type Html, html } from './html.js';

const AT_MOST = 200;

/** What could not be seen: a reader must know it before trusting the rest. */
export function opaque({ matrix }: Discovery): Html {
  const cells = matrix.cells
    .filter(({ access }) => access === 'opaque')
    .sort((a, b) => b.statements - a.statements || compare(a.service, b.service) || compare(a.table, b.table));
  const total = cells.reduce((sum, { statements }) => sum + statements, 0);
  return html`<section id="opaque">
<h2>Statements that could not be seen through</h2>
${
  cells.length === 0
    ? html`<p>None: what each statement touches is known.</p>`
    : html`<p>${figure(total)} statements touch more than is known, for the reason given. Their tables are missing above. Look at these by hand.</p>
<div class="wide"><table class="list"><thead><tr><th scope="col" class="number">Statements</th><th scope="col">Service</th><th scope="col">Why</th></tr></thead>
${cells.slice(0, AT_MOST).map(
  (
    cell,
  ) => html`<tbody><tr><td class="number">${figure(cell.statements)}</td><td>${cell.service}</td><td>${cell.table}</td></tr>${
    cell.example === '' ? null : html`<tr class="example"><td></td><td colspan="2">${statement(cell.example)}</td></tr>`
  }</tbody>
`,
)}</table></div>
${cells.length > AT_MOST ? html`<p>${figure(cells.length - AT_MOST)} more are not listed.</p>` : null}`
}
</section>`;
}

export function notes(discovery: Discovery): Html {
  return html`<section id="notes">
<h2>Notes</h2>
${
  discovery.notes.length === 0
    ? html`<p>Nothing was left out.</p>`
    : html`<ul>${discovery.notes.map((note) => html`<li>${note}</li>`)}</ul>`
}
${discovery.graph === null ? html`<p>No database was asked for its definitions: foreign keys, views, functions and triggers are not in these figures.</p>` : null}
<h3>How the figures are made</h3>
<p>A statement counts once for each service, table and way of use, when the database has carried it out. It counts for the tables that it names and for those that it comes to through views, functions, triggers, rules and cascades. Statements that were refused count as ties, not as use.</p>
<p>Two tables are joined when one statement touches both, and written together when one committed transaction changed rows of both. A cut is between domains where both tables have one today, else between the contexts proposed here.</p>
<p>Cohesion is the weight of the ties inside a context, of all ties that its tables have. Risk puts together what would be cut, who else writes, and how much is written: 0 is none, 1 the most.</p>
<p>In the examples each literal is replaced by <code>?</code>. What no service did between the first and the last statement is not here: a job that runs once a year is not seen in a week.</p>
</section>`;
}
