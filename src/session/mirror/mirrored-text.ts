import { decodeBindNames } from '../../wire/decode.js';
import { F } from '../../wire/types.js';
import { latin1 } from '../extended/named-statements.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import { failureOf } from './divergence.js';
import type { KeysOf } from './ledger.js';
import type { MirroredStatement } from './mirrors.js';
import { mirrorsOf } from './session-mirrors.js';

/** One statement of a text for the mirror; null where it has no business with it. */
export function mirroredAt(plan: TextPlan, at: number, keys: KeysOf | null = null): MirroredStatement | null {
  const mirroring = plan.mirror?.statements[at] ?? null;
  return mirroring === null ? null : { mirroring, fingerprint: plan.tallies.fingerprint, keys };
}

/** Whether a mirror runs any statement of the text. */
export const repeatsSome = (plan: TextPlan): boolean =>
  plan.mirror?.statements.some((one) => one !== null && one.refusal === null) === true;

/** Whether the statement mirror has any business with the text: EXECUTE counts as what was prepared. */
export const isMirrored = (session: SessionCore, plan: TextPlan): boolean =>
  plan.mirror !== null || (plan.effects.length > 0 && executedBy(session, plan).length > 0);

/** The plans of what the text runs by SQL-level EXECUTE, of those that write mirrored tables. */
function executedBy(session: SessionCore, { effects }: TextPlan): readonly TextPlan[] {
  return effects.flatMap((effect) => {
    const plan = effect.type === 'execute' ? session.names.get(latin1(effect.name))?.plan : undefined;
    return plan === undefined || plan.mirror === null ? [] : [plan];
  });
}

/** The monolith has carried the text out: notes what of it no mirror gets. */
export function noteRefused(session: SessionCore, plan: TextPlan): void {
  for (const [at] of plan.parsed.statements.entries()) noteRefusedAt(session, plan, at);
  for (const executed of executedBy(session, plan)) {
    const mirrors = mirrorsOf(session, executed.mirror?.timeout ?? 0);
    const statement = mirroredAt(executed, 0);
    const refusal = statement?.mirroring.refusal ?? { code: 'execute', why: 'EXECUTE of SQL is not repeated' };
    if (statement !== null) mirrors.note(statement, failureOf(refusal.code, refusal.why));
  }
}

export function noteRefusedAt(session: SessionCore, plan: TextPlan, at: number): void {
  const statement = mirroredAt(plan, at);
  const refusal = statement?.mirroring.refusal ?? null;
  if (statement === null || refusal === null) return;
  mirrorsOf(session, plan.mirror?.timeout ?? 0).note(statement, failureOf(refusal.code, refusal.why));
}

/** What the monolith has answered since `session.tags` was set. */
export function takeTags(session: SessionCore): readonly string[] {
  const { tags } = session;
  session.tags = null;
  return tags ?? [];
}

/** Query 'Q': String text, here as bytes in the client's encoding. */
export const queryOf = (text: Uint8Array): Buffer => message(F.Query, [text, NUL]);

/** A Parse or Bind message by which the unnamed statement is made, and bound to the unnamed portal. */
export function unnamed(frame: Buffer): Buffer {
  const type = frame[0] as number;
  if (type === F.Parse) return message(type, [NUL, frame.subarray(frame.indexOf(0, 5) + 1)]);
  return message(type, [NUL, NUL, frame.subarray(decodeBindNames(frame, 5, frame.length).end)]);
}

const NUL = Buffer.alloc(1);

function message(type: number, parts: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(5);
  header[0] = type;
  header.writeUInt32BE(4 + parts.reduce((sum, part) => sum + part.length, 0), 1);
  return Buffer.concat([header, ...parts]);
}
