import type { StatementRecord } from '../../src/session/statement-record.js';

/** A record like those of the session, with what the test is about put in. */
export function recordOf(over: Partial<StatementRecord> = {}): StatementRecord {
  return {
    time: Date.UTC(2026, 0, 5, 9, 0, 0, 123),
    session: 3,
    service: 'order-service',
    user: 'orders',
    database: 'orders_db',
    domain: 'orders',
    kind: 'select',
    reads: ['public.order_items', 'public.orders'],
    writes: [],
    reason: 'all tables are at home in orders_db',
    rows: 7,
    bytes: 812,
    seconds: 0.0012345,
    error: null,
    fingerprint: '0123456789abcdef',
    ...over,
  };
}

/** Waits until it holds. @throws Error after `deadline` ms */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  deadline = 30_000,
): Promise<void> {
  const end = Date.now() + deadline;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
