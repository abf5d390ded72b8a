import { stableCopy } from '../../net/slab.js';
import type { TextPlan } from '../plan/text-plan.js';
import type { SessionCore } from '../session-core.js';
import type { MirrorFailure } from './divergence.js';
import { failureOf } from './divergence.js';
import { MirrorReply } from './mirror-owner.js';
import { mirroredAt } from './mirrored-text.js';
import type { MirroredCopy, MirroredStatement, Mirrors } from './mirrors.js';
import { mirrorsOf } from './session-mirrors.js';
import { type StatementMirror, sendQueryTo } from './statement-mirror.js';

/**
 * The same COPY on the new database, begun before that of the monolith: the client may send its data as soon as the
 * monolith asks for them. They go to both as they come, and the slower one decides how fast that is.
 */
export class StartedCopy {
  readonly #mirrors: Mirrors;
  readonly #statement: MirroredStatement;
  readonly #mirror: StatementMirror;
  readonly #answer: MirrorReply | MirrorFailure;
  readonly #wasGivenUp: boolean;

  constructor(
    mirrors: Mirrors,
    statement: MirroredStatement,
    mirror: StatementMirror,
    begun: { readonly answer: MirrorReply | MirrorFailure; readonly wasGivenUp: boolean },
  ) {
    this.#mirrors = mirrors;
    this.#statement = statement;
    this.#mirror = mirror;
    this.#answer = begun.answer;
    this.#wasGivenUp = begun.wasGivenUp;
  }

  /** A part of a CopyData message, whole messages or pieces. @returns whether the client is to be held back */
  feed(bytes: Buffer): boolean {
    return this.#answer instanceof MirrorReply && this.#mirror.feed(this.#answer, bytes);
  }

  /** The monolith's COPY has ended. @param good false: by an error */
  async end(good: boolean, tag: string | null): Promise<void> {
    const facts = { tag, wasGivenUp: this.#wasGivenUp };
    if (!(this.#answer instanceof MirrorReply)) {
      if (good) this.#mirrors.settle(this.#statement, this.#mirror, this.#answer, facts);
    } else if (good) {
      this.#mirrors.settle(this.#statement, this.#mirror, await this.#mirror.endCopy(this.#answer), facts);
    } else {
      this.#mirror.giveUp(failureOf('transaction', 'a COPY of it failed in the monolith'));
    }
  }
}

/** @param frame the COPY as a Query message */
export async function startCopy(session: SessionCore, plan: TextPlan, frame: Buffer): Promise<StartedCopy | null> {
  const statement = mirroredAt(plan, 0);
  if (statement === null) return null;
  const timeout = plan.mirror?.timeout ?? 0;
  const mirrors = mirrorsOf(session, timeout);
  mirrors.follow(session.tx);
  const mirror = mirrors.mirror(statement.mirroring.database, timeout);
  const wasGivenUp = mirror.isGivenUp;
  const answer = await mirror.run((to, reply) => sendQueryTo(to, reply, frame));
  return new StartedCopy(mirrors, statement, mirror, { answer, wasGivenUp });
}

/** The monolith waits for copy data: `finish` is called when it waits no more, whoever has ended the COPY. */
export function whenCopied(
  session: SessionCore,
  copy: StartedCopy | null,
  simple: boolean,
  finish: () => Promise<void>,
): void {
  const target = session.active;
  const copying: MirroredCopy = {
    copy,
    simple,
    finish: async () => {
      if (simple && target !== null) await session.answered(target);
      else await session.activeAnswered();
      await finish();
    },
  };
  session.copying = copying;
  void session.waiters.until(() => !session.copyIn || session.closed).then(() => endMirroredCopy(session, copying));
}

export function copyToMirror(
  { client }: SessionCore,
  { copy }: MirroredCopy,
  chunk: Buffer,
  at: number,
  end: number,
): void {
  if (copy?.feed(stableCopy(chunk, at, end)) === true) client.channel.pause();
}

/** CopyDone or CopyFail was sent to the monolith, or it has refused the data. */
export function endMirroredCopy(session: SessionCore, copying: MirroredCopy): void {
  if (session.copying !== copying || session.closed) return;
  session.copying = null;
  session.block(copying.finish(), copying.simple);
}
