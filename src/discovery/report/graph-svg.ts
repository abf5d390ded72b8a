import type { Discovery } from '../discovery.js';
import { cutAt, figure, plural } from './format.js';
import { type Layout, layOut } from './graph-layout.js';
import { type GraphEdge, type GraphModel, type GraphNode, graphModel } from './graph-model.js';
import { type Groups, KIND_TEXT } from './groups.js';
import { key } from './heat-map.js';
import { type Html, html } from './html.js';

export function graphSection(discovery: Discovery, groups: Groups): Html {
  const model = graphModel(discovery, groups);
  if (model.nodes.length === 0) {
    return html`<section id="graph"><h2>What is used together</h2><p>No table has been used.</p></section>`;
  }
  const used = groups.all.filter((group) => model.nodes.some((node) => node.group === group));
  return html`<section id="graph">
<h2>What is used together</h2>
<p>A circle is a table${model.nodes.some(({ isView }) => isView) ? ', a square a view' : null}, its size the traffic, its number and colour the domain. A line is wider the more often two tables meet, by the logarithm; the strong ones lead from one domain into another. Point at a table, or walk with the arrow keys, to see its neighbours alone; Enter or a click keeps it so, Escape lets go.${leftOut(model)}</p>
<ul class="legend">${used.map((group) => html`<li>${key(group)} ${group.name} <small>${KIND_TEXT[group.kind]}</small></li>`)}</ul>
<ul class="legend">${lineKey('join', 'joined in one statement')}${lineKey('transaction', 'written in one transaction')}${lineKey('static', 'foreign key, view, trigger ...')}</ul>
${drawing(model)}
<p id="graph-detail" class="detail" aria-live="polite">No table chosen.</p>
</section>`;
}

function leftOut({ nodes, edges, nodesInAll, edgesInAll }: GraphModel): string {
  if (nodes.length === nodesInAll && edges.length === edgesInAll) return '';
  return ` Drawn are the busiest ${figure(nodes.length)} of ${plural(nodesInAll, 'table')}, and the heaviest ${figure(edges.length)} of ${plural(edgesInAll, 'line')}.`;
}

const lineKey = (kind: GraphEdge['kind'], text: string): Html =>
  html`<li><svg class="graph line" width="34" height="10" aria-hidden="true"><path class="edge ${kind}" d="M1 5H33" stroke-width="${kind === 'transaction' ? 3.5 : 2}"/></svg> ${text}</li>`;

function drawing(model: GraphModel): Html {
  const { nodes, edges } = model;
  const most = nodes.reduce((greatest, { statements }) => Math.max(greatest, statements), 1);
  const radii = nodes.map(({ statements }) => 9 + (11 * Math.log1p(statements)) / Math.log1p(most));
  const labels = nodes.map(({ table }) => cutAt(table.replace(/^public\./, ''), 28));
  const layout = layOut(model, labels, radii);
  const heaviest = edges.reduce(
    (greatest, { kind, count }) => (kind === 'static' ? greatest : Math.max(greatest, count)),
    1,
  );
  return html`<svg id="graph-drawing" class="graph" viewBox="0 0 ${layout.width} ${layout.height}" role="group" aria-label="Graph of ${plural(nodes.length, 'table')}">
<g>${edges.map((edge) => edgeOf(edge, nodes, layout, heaviest))}</g>
<g>${nodes.map((node, place) => nodeOf(node, place, layout, radii[place] ?? 9, labels[place] ?? ''))}</g>
</svg>`;
}

/** Side by side where two tables have more than one: each kind bends another way. */
const BEND: Readonly<Record<GraphEdge['kind'], number>> = { join: 0.07, transaction: -0.07, static: 0.2 };

function edgeOf(edge: GraphEdge, nodes: readonly GraphNode[], { places }: Layout, heaviest: number): Html {
  const [from, to] = [places[edge.a] ?? { x: 0, y: 0 }, places[edge.b] ?? { x: 0, y: 0 }];
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const bend = BEND[edge.kind];
  const [x, y] = [(from.x + to.x) / 2 - dy * bend, (from.y + to.y) / 2 + dx * bend];
  const scaled = Math.log1p(edge.count) / Math.log1p(heaviest);
  const width = edge.kind === 'static' ? 1.2 : edge.kind === 'join' ? 1 + 4 * scaled : 2 + 5 * scaled;
  // Many lines are drawn thinner, or nothing is seen between them.
  const thickness = nodes.length > 60 ? width / 2 : width;
  const path = [`M${one(from.x)} ${one(from.y)}`, `Q${one(x)} ${one(y)}`, `${one(to.x)} ${one(to.y)}`].join(' ');
  return html`<path class="edge ${edge.kind}${edge.crosses ? ' crosses' : null}" data-a="${edge.a}" data-b="${edge.b}" d="${path}" stroke-width="${one(thickness)}"><title>${edgeText(edge, nodes)}</title></path>
`;
}

const one = (value: number): string => value.toFixed(1);

function edgeText({ kind, a, b, count, names }: GraphEdge, nodes: readonly GraphNode[]): string {
  const both = `${nodes[a]?.table ?? ''} and ${nodes[b]?.table ?? ''}`;
  if (kind === 'static') {
    const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
    return `${both}: ${names.slice(0, 5).join(', ')}${more}`;
  }
  return kind === 'join' ? `${both}: joined ${figure(count)} times` : `${both}: ${plural(count, 'transaction')}`;
}

function nodeOf(node: GraphNode, place: number, { places }: Layout, radius: number, label: string): Html {
  const { x, y } = places[place] ?? { x: 0, y: 0 };
  const r = one(radius);
  const shape = node.isView
    ? html`<rect x="-${r}" y="-${r}" width="${one(2 * radius)}" height="${one(2 * radius)}" rx="3"/>`
    : html`<circle r="${r}"/>`;
  const text = `${node.table}: ${node.group.name}, ${plural(node.statements, 'statement')}`;
  // One stop for the Tab key; the arrow keys go on from there.
  return html`<g class="node f${node.group.index % 12}" data-place="${place}" transform="translate(${one(x)} ${one(y)})" tabindex="${place === 0 ? 0 : -1}" role="button" aria-pressed="false" aria-label="${text}"><title>${text}</title>${shape}<text class="number" dy="4">${node.group.index + 1}</text><text class="label" y="${one(radius + 13)}">${label}</text></g>
`;
}
