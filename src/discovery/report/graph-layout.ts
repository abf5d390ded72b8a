import { UndirectedGraph } from 'graphology';
import circularModule from 'graphology-layout/circular.js';
import forceAtlas2Module from 'graphology-layout-forceatlas2';
import type { GraphModel, GraphNode } from './graph-model.js';

// These are CommonJS: what their types call `default` is the module itself when it runs.
const circular = circularModule as unknown as typeof circularModule.default;
const forceAtlas2 = forceAtlas2Module as unknown as typeof forceAtlas2Module.default;

export interface Place {
  x: number;
  y: number;
}

export interface Layout {
  readonly places: readonly Place[];
  readonly width: number;
  readonly height: number;
}

const ITERATIONS = 600;
const WIDTH = 1080;
const MARGIN = 24;
/** Of the labels, in the drawing's units: 12 to the em, most letters narrower than that. */
const LETTER = 7.5;
const LINE = 17;

/** The same nodes and edges in the same order give the same places: nothing in it is random. */
export function layOut({ nodes, edges }: GraphModel, labels: readonly string[], radii: readonly number[]): Layout {
  if (nodes.length === 0) return { places: [], width: 0, height: 0 };
  const graph = new UndirectedGraph();
  for (const place of nodes.keys()) graph.addNode(place);
  for (const { a, b, kind, count } of edges) {
    addWeight(graph, a, b, kind === 'static' ? 1 : (kind === 'transaction' ? 2 : 1) * (1 + Math.log10(1 + count)));
  }
  for (const [hub, member] of hubs(nodes)) addWeight(graph, hub, member, 1.5);
  circular.assign(graph, { scale: 100 });
  forceAtlas2.assign(graph, {
    iterations: ITERATIONS,
    getEdgeWeight: 'weight',
    settings: { gravity: 0.6, scalingRatio: 12, slowDown: 4, edgeWeightInfluence: 0.6, barnesHutOptimize: false },
  });
  const found = nodes.map((_, place): Place => {
    const { x, y } = graph.getNodeAttributes(place);
    return { x: Number(x), y: Number(y) };
  });
  const boxes = nodes.map((_, place) => boxOf(labels[place] ?? '', radii[place] ?? 0));
  const area = boxes.reduce((sum, box) => sum + box.width * box.height, 0);
  stretch(found, WIDTH, Math.min(1700, Math.max(480, (2.2 * area) / WIDTH)));
  partLabels(found, boxes);
  return frame(found, boxes, radii);
}

function addWeight(graph: UndirectedGraph, a: number, b: number, weight: number): void {
  if (graph.hasEdge(a, b)) graph.updateEdgeAttribute(a, b, 'weight', (known) => Number(known) + weight);
  else graph.addEdge(a, b, { weight });
}

/** Not drawn: each group hangs on its busiest table, so that it stays together. */
function* hubs(nodes: readonly GraphNode[]): Generator<readonly [number, number]> {
  let hub = 0;
  for (const [place, { group }] of nodes.entries()) {
    if (group.kind === 'none') return;
    if (nodes[hub]?.group !== group) hub = place;
    else if (place !== hub) yield [hub, place];
  }
}

/**
 * Onto the drawing's whole width and height. Half of a place is where the forces put it, half its rank: a crowd in the
 * middle gets room, and what lies apart comes nearer.
 */
function stretch(places: readonly Place[], width: number, height: number): void {
  for (const [axis, size] of [
    ['x', width],
    ['y', height],
  ] as const) {
    const values = places.map((place) => place[axis]);
    const sorted = [...values].sort((a, b) => a - b);
    const [least = 0, greatest = 0] = [sorted[0], sorted.at(-1)];
    for (const [index, place] of places.entries()) {
      const value = values[index] ?? 0;
      if (greatest - least < 1e-9) place[axis] = size / 2;
      else {
        const rank = sorted.indexOf(value) / (sorted.length - 1);
        place[axis] = (0.5 * ((value - least) / (greatest - least)) + 0.5 * rank) * size;
      }
    }
  }
}

/**
 * A node with its label below is a rectangle; those that overlap are pushed apart, sideways or down, whichever is less
 * of their size. The width stays, so that a crowded drawing grows longer, not smaller when it is shown.
 */
function partLabels(places: readonly Place[], boxes: readonly Box[]): void {
  for (let round = 0; round < 400; round += 1) {
    let moved = false;
    for (const [i, one] of places.entries()) {
      for (let j = i + 1; j < places.length; j += 1) {
        const [other, boxA, boxB] = [places[j], boxes[i], boxes[j]];
        if (other === undefined || boxA === undefined || boxB === undefined) continue;
        if (pushApart(one, boxA, other, boxB, round)) moved = true;
      }
    }
    if (!moved) return;
  }
}

function pushApart(one: Place, boxA: Box, other: Place, boxB: Box, round: number): boolean {
  const [dx, dy] = [other.x - one.x, other.y + boxB.middle - one.y - boxA.middle];
  const [width, height] = [(boxA.width + boxB.width) / 2, (boxA.height + boxB.height) / 2];
  const [overX, overY] = [width - Math.abs(dx), height - Math.abs(dy)];
  if (overX <= 0 || overY <= 0) return false;
  // Where there is no room left sideways, down always is.
  const sideways = round < 150 && overX / width < overY / height;
  const push = (sideways ? overX : overY) / 2 + 0.1;
  const axis = sideways ? 'x' : 'y';
  const sign = (sideways ? dx : dy) < 0 ? -1 : 1;
  one[axis] -= sign * push;
  other[axis] += sign * push;
  one.x = Math.min(WIDTH - boxA.width / 2, Math.max(boxA.width / 2, one.x));
  other.x = Math.min(WIDTH - boxB.width / 2, Math.max(boxB.width / 2, other.x));
  return true;
}

interface Box {
  readonly width: number;
  readonly height: number;
  /** From the middle of the node down to the middle of the box. */
  readonly middle: number;
}

const boxOf = (label: string, radius: number): Box => ({
  width: Math.max(2 * radius, label.length * LETTER) + 10,
  height: 2 * radius + LINE + 8,
  middle: LINE / 2,
});

/** Moves all so that the drawing begins at 0, 0 with a margin. */
function frame(places: readonly Place[], boxes: readonly Box[], radii: readonly number[]): Layout {
  const half = (place: number): number => (boxes[place]?.width ?? 0) / 2;
  const radius = (place: number): number => radii[place] ?? 0;
  const left = Math.min(...places.map(({ x }, place) => x - half(place))) - MARGIN;
  const top = Math.min(...places.map(({ y }, place) => y - radius(place))) - MARGIN;
  const right = Math.max(...places.map(({ x }, place) => x + half(place))) + MARGIN;
  const bottom = Math.max(...places.map(({ y }, place) => y + radius(place) + LINE)) + MARGIN;
  return {
    places: places.map(({ x, y }) => ({ x: x - left, y: y - top })),
    width: Math.ceil(right - left),
    height: Math.ceil(bottom - top),
  };
}
