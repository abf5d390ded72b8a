import type { Discovery } from '../discovery.js';
import type { Proposal } from '../proposal.js';
import { figure, plural, share } from './format.js';
import type { Groups } from './groups.js';
import { key } from './heat-map.js';
import { type Html, html } from './html.js';

const AT_MOST = 500;

/** Who writes what more than one service writes: such a table has no owner that could take it along. */
export function writers(discovery: Discovery, proposal: Proposal, groups: Groups): Html {
  const { cells } = discovery.matrix;
  const written = new Set(cells.filter((c) => c.access === 'write' && c.statements > 0).map(({ table }) => table));
  const shared = proposal.sharedWriters;
  const single = Math.max(0, written.size - shared.length);
  return html`<section id="writers">
<h2>Single-writer check</h2>
${
  shared.length === 0
    ? html`<p>${written.size === 0 ? 'No table was written.' : `Passed: each of the ${plural(written.size, 'table')} that are written has one service that writes it.`}</p>`
    : html`<p>Of ${plural(written.size, 'written table')}, ${figure(single)} ${single === 1 ? 'has' : 'have'} one service that writes. These have more; each needs one owner before it can move, and the others then ask that owner.</p>
<div class="wide"><table class="list"><thead><tr><th scope="col">Table</th><th scope="col" class="number">Services</th><th scope="col">Writes by service</th></tr></thead><tbody>
${shared.slice(0, AT_MOST).map(
  ({
    table,
    writers: by,
  }) => html`<tr><td>${key(groups.of(table))} <code>${table}</code></td><td class="number">${by.length}</td><td>${portions(by)}</td></tr>
`,
)}</tbody></table></div>
${shared.length > AT_MOST ? html`<p>${figure(shared.length - AT_MOST)} more are not listed.</p>` : null}`
}
</section>`;
}

function portions(by: Proposal['sharedWriters'][number]['writers']): Html {
  const total = by.reduce((sum, { statements }) => sum + statements, 0);
  return html`<ul class="portions">${by.map(
    ({ service, statements }) =>
      html`<li>${bar(total > 0 ? statements / total : 0)} ${service} <span class="figures">${figure(statements)} (${share(total > 0 ? statements / total : 0)})</span></li>`,
  )}</ul>`;
}

/** A share as a line. The figure stands next to it, so that a reader who does not see it misses nothing. */
export function bar(part: number): Html {
  const width = (60 * Math.min(1, Math.max(0, part))).toFixed(1);
  return html`<svg class="bar" width="60" height="8" aria-hidden="true"><rect class="whole" width="60" height="8" rx="2"/><rect class="part" width="${width}" height="8" rx="2"/></svg>`;
}
