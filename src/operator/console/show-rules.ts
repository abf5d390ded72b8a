import { relative } from 'node:path';
import { tableHomes } from '../../routing/table-homes.js';
import { authoritative } from '../../rules/phases.js';
import type { Domain } from '../../rules/rule-set.js';
import type { ConsoleNotice } from '../../session/console/console.js';
import { type ConsoleSource, show } from './show.js';

export const showRules = show(
  'the rules in effect: one row for each domain',
  {
    domain: 'text',
    phase: 'text',
    database: 'text',
    tables: 'text',
    owner: 'text',
    file: 'text',
    version: 'int4',
    loaded_at: 'timestamptz',
    pending: 'text',
    last_error: 'text',
  },
  ({ config, rules }) => {
    const waiting = new Map(rules.pending.map(({ domain, reason }) => [domain, reason]));
    return rules.current.domains.map(({ name, phase, database, tables, owner, file }) => ({
      domain: name,
      phase,
      database,
      tables: tables.join(', '),
      owner,
      file: relative(config.rules, file),
      version: rules.current.version,
      loaded_at: rules.current.loadedAt,
      pending: waiting.get(name) ?? null,
      last_error: rules.error?.message ?? null,
    }));
  },
  rulesNotices,
);

/** What is not to be seen in the rules in effect. */
export function rulesNotices({ rules }: Pick<ConsoleSource, 'rules'>): ConsoleNotice[] {
  const notices: ConsoleNotice[] = [];
  const { error, pending } = rules;
  if (error !== null) {
    const message = 'the rules folder has faults; the last good rules stay in effect';
    notices.push({ severity: 'WARNING', message, detail: error.message });
  }
  if (pending.length > 0) {
    const detail = pending.map(({ domain, reason }) => `${domain}: ${reason}`).join('\n');
    const message = `${pending.length === 1 ? 'a change' : `${pending.length} changes`} of the rules wait${pending.length === 1 ? 's' : ''}; SHOW PENDING has more`;
    notices.push({ severity: 'NOTICE', message, detail });
  }
  return notices;
}

export const showTables = show(
  'where each table with a rule is read and written; the row * is for all others',
  { table: 'text', domain: 'text', phase: 'text', reads: 'text', writes: 'text', note: 'text' },
  ({ rules }) => {
    const { current } = rules;
    const rest = current.defaultDatabase;
    return [
      ...tableHomes(current).map(({ table, domain, phase, reads, writes }) => ({
        table,
        domain,
        phase,
        reads: reads.join(', '),
        writes: writes.join(', '),
        note: noteOn(current.tables.get(table) ?? null),
      })),
      { table: '*', domain: null, phase: null, reads: rest, writes: rest, note: null },
    ];
  },
);

/** In `read-new` the homes of reads are those of the sessions that `reads` selects. */
function noteOn(domain: Domain | null): string | null {
  if (domain === null || domain.phase !== 'read-new' || domain.reads === undefined) return null;
  const { new: percent, services } = domain.reads;
  if (percent >= 100) return null;
  const who = [...(percent > 0 ? [`${percent}% of the sessions`] : []), ...services];
  return `reads in ${domain.database}: ${who.join(', ') || 'nobody'}`;
}

export const showPending = show(
  'what stands in the rules folder and is not in effect: changes that wait, and faults',
  { kind: 'text', domain: 'text', at: 'text', from: 'text', to: 'text', moves: 'text', reason: 'text' },
  ({ rules }) => [
    ...rules.pending.map(({ domain, at, from, to, moves, reason }) => ({
      kind: 'change',
      domain,
      at,
      from: inShort(from, rules.current.defaultDatabase),
      to: inShort(to, rules.current.defaultDatabase),
      moves: moves.map((move) => `${move.table}: ${move.from} -> ${move.to}`).join(', '),
      reason,
    })),
    ...(rules.error?.message.split('\n') ?? []).map((line) => {
      const [, at = null, what = line] = /^(.+?:\d+:\d+): (.*)$/.exec(line) ?? [];
      return { kind: 'fault', domain: null, at, from: null, to: null, moves: null, reason: what };
    }),
  ],
);

const inShort = (domain: Domain | null, defaultDatabase: string): string =>
  domain === null ? 'no rule' : `${domain.phase} (written in ${authoritative(domain, defaultDatabase)})`;
