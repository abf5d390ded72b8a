import type { Discovery } from '../discovery.js';
import { cutAt, figure, minute, plural, short } from './format.js';
import { type Group, type Groups, KIND_TEXT } from './groups.js';
import { type HeatCell, type HeatRow, type HeatRows, heatRows } from './heat-rows.js';
import { type Html, html, jsonBlock, NOTHING, trusted, visibleText } from './html.js';

/** Drawn at once; the others wait as data until they are asked for. */
export const ROWS_AT_FIRST = 200;

/** Characters that the examples in the tooltips may take up together: a dense matrix must not be made of them. */
const EXAMPLE_BUDGET = 1_000_000;

export function heatMap(discovery: Discovery, groups: Groups): Html {
  const heat = heatRows(discovery.matrix.cells, groups);
  const { services, rows } = heat;
  if (rows.length === 0) {
    return html`<section id="heat-map"><h2>Who uses what</h2><p>No statement has been counted.</p></section>`;
  }
  const first = busiest(rows, ROWS_AT_FIRST);
  const drawn = rows.filter((row) => first.has(row));
  const rest = rows.filter((row) => !first.has(row));
  const cells = drawn.reduce((sum, row) => sum + row.cells.size, 0);
  const exampleLength = Math.min(300, Math.max(40, Math.floor(EXAMPLE_BUDGET / cells)));
  const used = groups.all.filter((group) => rows.some((row) => row.group === group));

  return html`<section id="heat-map">
<h2>Who uses what</h2>
<p>Tables down, services across. <b>R</b> reads, <b>W</b> writes, <b>D</b> changes the definition; <b>x</b>: all that the service sent there was refused; <b>-</b>: nothing was carried out. The stronger the colour, the more statements, by their logarithm. Point at a cell, or walk there with the arrow keys, for its figures.</p>
<div class="tools">
<label for="heat-filter">Tables with</label> <input id="heat-filter" type="search" autocomplete="off" spellcheck="false" placeholder="part of a name">
${rest.length > 0 ? html`<button type="button" id="heat-all">Show all ${figure(rows.length)} tables</button>` : null}
<output id="heat-status" for="heat-filter">${plural(drawn.length, 'table')} of ${figure(rows.length)}${rest.length > 0 ? ', the busiest' : null}</output>
${scale()}
</div>
<div class="scroll" tabindex="-1">
<table id="heat" class="heat${widths(heat)}" role="grid" aria-label="Tables by services">
<colgroup><col class="name"><col class="sum"><col class="sum">${services.map(() => trusted('<col class="cell">'))}<col></colgroup>
<thead><tr><th scope="col" class="corner">Table</th><th scope="col" class="number">Statements</th><th scope="col" class="number">Writers</th>${services.map(
    (service) => html`<th scope="col" class="service" title="${service}"><span>${cutAt(service, 40)}</span></th>`,
  )}<td class="filler"></td></tr></thead>
${used.map((group) => groupBody(group, drawn, heat, rows.filter((row) => row.group === group).length, exampleLength))}
</table>
</div>
<p id="heat-detail" class="detail" aria-live="polite">No cell chosen.</p>
${jsonBlock('heat-rest', compact(heat, rest))}
${unused(discovery, rows)}
</section>`;
}

/** Few services get wider columns, long names a wider one: what is cut off is in the tooltip only. */
function widths({ services, rows }: HeatRows): string {
  const long = rows.some(({ table }) => table.length > 27);
  return `${services.length <= 14 ? ' roomy' : ''}${long ? ' long' : ''}`;
}

function busiest(rows: readonly HeatRow[], count: number): ReadonlySet<HeatRow> {
  // A stable sort: equals keep the order of the page.
  return new Set([...rows].sort((a, b) => b.statements - a.statements).slice(0, count));
}

function scale(): Html {
  const steps = Array.from({ length: 9 }, (_, index) => html`<i class="h${index + 1}"></i>`);
  return html`<span class="scale" aria-hidden="true">few ${steps} many</span>`;
}

export const key = ({ index }: Group): Html => html`<b class="key k${index % 12}">${index + 1}</b>`;

function groupBody(group: Group, drawn: readonly HeatRow[], heat: HeatRows, size: number, exampleLength: number): Html {
  const rows = drawn.filter((row) => row.group === group);
  return html`<tbody data-group="${group.index}"${rows.length === 0 ? trusted(' hidden') : null}>
<tr class="group"><th scope="rowgroup" colspan="${heat.services.length + 4}"><span>${key(group)} ${group.name} <small>${KIND_TEXT[group.kind]}, ${plural(size, 'table')}</small></span></th></tr>
${rows.map((row) => rowOf(row, heat.services.length, exampleLength))}
</tbody>`;
}

function rowOf(row: HeatRow, services: number, exampleLength: number): Html {
  const cells = Array.from({ length: services }, (_, place) => cellOf(row.cells.get(place), exampleLength));
  return html`<tr class="row"><th scope="row" title="${row.table}">${row.table}</th><td class="number">${short(row.statements)}</td><td class="number${row.writers > 1 ? ' many' : null}">${row.writers}</td>${cells}<td class="filler"></td></tr>
`;
}

const EMPTY = trusted('<td class="c">-</td>');

function cellOf(cell: HeatCell | undefined, exampleLength: number): Html {
  if (cell === undefined) return EMPTY;
  return html`<td class="c h${cell.level}" title="${tooltip(cell, exampleLength)}">${cell.use.letters}</td>`;
}

function tooltip({ use, example }: HeatCell, exampleLength: number): string {
  const [first, last] = [minute(use.first), minute(use.last)];
  const counts = [
    `${figure(use.reads)} reads`,
    `${figure(use.writes)} writes`,
    use.ddl > 0 ? `${figure(use.ddl)} DDL` : '',
    use.errors > 0 ? plural(use.errors, 'error') : '',
    use.refused > 0 ? `${figure(use.refused)} refused` : '',
    plural(use.rows, 'row'),
  ];
  return [
    `${use.service}: ${use.table}`,
    counts.filter((text) => text !== '').join(', '),
    first !== '' || last !== '' ? `${first} to ${last} UTC` : '',
    cutAt(example, exampleLength),
  ]
    .filter((line) => line !== '')
    .join('\n');
}

/**
 * The rows that are not drawn yet. A row is [group, table, statements, writers, cells]; a cell is the service's place in
 * base 36, its letters in capitals (X: refused, N: nothing), its level as one digit and its statements in base 36.
 */
function compact({ services }: HeatRows, rest: readonly HeatRow[]): unknown {
  return {
    limit: ROWS_AT_FIRST,
    services: services.map(visibleText),
    rows: rest.map((row) => [
      row.group.index,
      visibleText(row.table),
      row.statements,
      row.writers,
      [...row.cells].map(compactCell).join(' '),
    ]),
  };
}

function compactCell([place, { use, level }]: readonly [number, HeatCell]): string {
  const letters = use.letters.replace('x', 'X').replace('-', 'N');
  return `${place.toString(36)}${letters}${level}${Math.round(use.reads + use.writes + use.ddl).toString(36)}`;
}

const UNUSED_AT_MOST = 500;

function unused(discovery: Discovery, rows: readonly HeatRow[]): Html {
  const used = new Set(rows.map(({ table }) => table));
  const without = (discovery.graph?.tables ?? []).filter((table) => !used.has(table));
  if (without.length === 0) return NOTHING;
  return html`<details><summary>${plural(without.length, 'table')} of the database without a statement in this time</summary>
<p class="names">${without.slice(0, UNUSED_AT_MOST).map((table) => html`<code>${table}</code> `)}${
    without.length > UNUSED_AT_MOST ? `and ${figure(without.length - UNUSED_AT_MOST)} more` : null
  }</p></details>`;
}
