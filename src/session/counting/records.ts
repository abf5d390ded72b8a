import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import type { Outcome } from './outcome.js';

/** What the access log is told of one statement of a text. */
export interface Logged extends Outcome {
  /** Where it went; '' where it was refused. */
  readonly database: string;
  /** When it arrived, ms since 1970. */
  readonly time: number;
}

export function recordOf(session: SessionCore, plan: TextPlan, at: number, logged: Logged): void {
  const { info } = session.start;
  const route = plan.routes[at];
  const statement = plan.parsed.statements[at];
  session.traffic.events.statementDone?.({
    time: logged.time,
    session: info.id,
    service: info.service,
    user: info.user,
    database: logged.database,
    domain: route?.domain ?? null,
    kind: statement?.kind ?? plan.kind,
    reads: route?.reads ?? [],
    writes: route?.written ?? [],
    reason: route?.reason ?? '',
    rows: logged.rows,
    bytes: logged.bytes,
    seconds: logged.seconds,
    error: logged.error,
    fingerprint: plan.tallies.fingerprint,
  });
}
