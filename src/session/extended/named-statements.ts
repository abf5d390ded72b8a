import { exactKeyOf } from '../../sql/read-text.js';
import type { SessionEffect } from '../../sql/statement.js';
import { planOf } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import type { Prepared } from './prepared.js';

/** A name of SQL's as the key that the names of the extended protocol are looked up by. */
export const latin1 = (name: string): string => Buffer.from(name, 'utf8').toString('latin1');

/** SQL-level PREPARE has run on `target`: its name is one of the namespace that all links share. */
export function notePrepared(
  session: SessionCore,
  target: SessionLink,
  effect: Extract<SessionEffect, { type: 'prepare' }>,
  sql: string,
): void {
  const readsPlainly = sql !== '' && session.client.reported.get('standard_conforming_strings') !== 'off';
  const inner = { statements: [effect.statement], spans: [[0, 0] as const], syntaxError: null };
  const cached = { parsed: inner, extra: null, key: readsPlainly ? exactKeyOf(sql) : null, folded: false };
  const prepared: Prepared = {
    name: latin1(effect.name),
    parse: Buffer.alloc(0),
    userTypes: false,
    sqlLevel: sql,
    cached,
    plan: planOf(cached, session.context, session.traffic.counters),
    on: target,
    description: null,
  };
  session.names.set(prepared.name, prepared);
  target.statements.set(prepared.name, prepared);
}

/**
 * DEALLOCATE has run on `target`. On other links the statement stays unused until its name is prepared anew: then it
 * must not be in the way.
 */
export function noteDeallocated(session: SessionCore, target: SessionLink, name: string): void {
  const key = latin1(name);
  session.names.delete(key);
  for (const holder of session.links.values()) {
    if (holder.statements.delete(key) && holder !== target) holder.stale.add(key);
  }
}
