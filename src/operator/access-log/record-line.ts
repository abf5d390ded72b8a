import type { StatementRecord } from '../../session/statement-record.js';

/**
 * A record as one line of JSON, without the line's end; docs/access-log.md describes it. Keys always stand in this
 * order, and all of them are there.
 */
export function recordLine(record: StatementRecord, worker: number): string {
  return JSON.stringify({
    time: new Date(record.time).toISOString(),
    worker,
    session: record.session,
    service: record.service,
    user: record.user,
    database: record.database === '' ? null : record.database,
    domain: record.domain,
    kind: record.kind,
    reads: record.reads,
    writes: record.writes,
    reason: record.reason,
    rows: record.rows,
    bytes: record.bytes,
    // Microseconds are what the clock is good for.
    duration_ms: Math.round(record.seconds * 1e6) / 1e3,
    error: record.error,
    fingerprint: record.fingerprint,
  });
}
