import type { Discovery } from '../../discovery/discovery.js';
import type { Found } from '../../discovery/found.js';
import type { Proposal } from '../../discovery/proposal.js';
import { plainMatrix } from './matrix-json.js';

/** One JSON object; times are ISO, field names those of Cell and Pair. */
export function discoveryJson({ source, since, until, matrix, notes }: Discovery, proposal: Proposal): string {
  return JSON.stringify({
    source,
    since: since === null ? null : iso(since),
    until: until === null ? null : iso(until),
    ...plainMatrix(matrix),
    notes,
    proposal,
  });
}

/** The same in short, for people. */
export function discoveryText(
  { source, since, until, matrix, notes }: Discovery,
  { contexts, advice, sharedWriters }: Proposal,
  { statements, failures, written }: Pick<Found, 'statements' | 'failures'> & { readonly written: readonly string[] },
): string {
  const services = new Set([...matrix.cells, ...matrix.pairs].map(({ service }) => service));
  const tables = new Set(matrix.cells.filter(({ access }) => access !== 'opaque').map(({ table }) => table));
  const opaque = matrix.cells.filter(({ access }) => access === 'opaque');
  const failed = failures > 0 ? `, ${failures} failed` : '';
  const lines = [
    `source      ${source}`,
    `time        ${since === null || until === null ? 'not known' : `${iso(since)} to ${iso(until)}`}`,
    ...(statements === null ? [] : [`statements  ${statements} carried out${failed}`]),
    `services    ${listOf(services)}`,
    `tables      ${listOf(tables)}`,
    ...opaque.map(({ service, table, statements: count }) => `opaque      ${service}: ${table} (${count} statements)`),
    ...sharedWriters.map(
      ({ table, writers }) => `written by  ${table}: ${writers.map(({ service }) => service).join(', ')}`,
    ),
    ...contexts.map(({ name, tables: own, reason }, at) => `context ${at + 1}   ${name}: ${own.join(', ')}. ${reason}`),
    ...advice.map((sentence) => `advice      ${sentence}`),
    ...notes.map((note) => `note        ${note}`),
    ...written.map((file) => `written     ${file}`),
  ];
  return `${lines.join('\n')}\n`;
}

const iso = (time: number): string => new Date(time).toISOString();

const MOST_NAMED = 20;

function listOf(names: ReadonlySet<string>): string {
  const sorted = [...names].sort();
  if (sorted.length === 0) return '0';
  const shown = sorted.slice(0, MOST_NAMED).join(', ');
  return `${sorted.length}: ${shown}${sorted.length > MOST_NAMED ? ', ...' : ''}`;
}
