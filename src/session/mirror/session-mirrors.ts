import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import type { Transaction } from '../transaction/transaction.js';
import { type DivergenceReason, failureOf, type MirrorFailure } from './divergence.js';
import { Ledger, type LedgerEntry } from './ledger.js';
import { mirrorHost } from './mirror-host.js';
import { MirrorReply } from './mirror-owner.js';
import type { MirroredStatement, Mirrors, Outcome } from './mirrors.js';
import { StatementMirror } from './statement-mirror.js';

/** The statement mirrors of one session, one for each new database, and what its transaction has given them to do. */
export class SessionMirrors implements Mirrors {
  readonly #session: SessionCore;
  readonly #mirrors = new Map<string, StatementMirror>();
  readonly #ledger = new Ledger();
  #followed: Transaction | null = null;
  #budget = 0;
  /** From before the monolith's COMMIT is sent until that of the mirror is answered. */
  #ending: Promise<void> | null = null;

  constructor(session: SessionCore) {
    this.#session = session;
  }

  get isOpen(): boolean {
    if (!this.#ledger.isEmpty) return true;
    for (const mirror of this.#mirrors.values()) if (mirror.isOpen) return true;
    return false;
  }

  get ending(): Promise<void> | null {
    return this.#ending;
  }

  get congested(): boolean {
    for (const mirror of this.#mirrors.values()) if (mirror.congested) return true;
    return false;
  }

  allow(budget: number): void {
    this.#budget = budget;
    for (const mirror of this.#mirrors.values()) mirror.allow(budget);
  }

  renew(): void {
    this.allow(this.#budget);
  }

  mirror(database: string, budget: number): StatementMirror {
    let mirror = this.#mirrors.get(database);
    if (mirror === undefined) {
      mirror = new StatementMirror(database, mirrorHost(this.#session));
      this.#mirrors.set(database, mirror);
      mirror.allow(budget);
    }
    return mirror;
  }

  follow(tx: Transaction | null): void {
    if (tx === null || tx === this.#followed) return;
    this.#followed = tx;
    for (const { type, name } of tx.journal) {
      if (type === 'savepoint') this.#ledger.savepoint(name);
      else if (type === 'release') this.#ledger.release(name);
    }
    tx.watch(this.#ledger);
  }

  async repeat(
    statement: MirroredStatement,
    tag: string | null,
    budget: number,
    send: (target: SessionLink, reply: MirrorReply) => void,
  ): Promise<void> {
    this.follow(this.#session.tx);
    const { mirroring } = statement;
    const mirror = this.mirror(mirroring.database, budget);
    const wasGivenUp = mirror.isGivenUp;
    const answer = await mirror.run(send);
    this.settle(statement, mirror, answer, { tag, wasGivenUp });
  }

  settle(
    statement: MirroredStatement,
    mirror: StatementMirror,
    answer: MirrorReply | MirrorFailure,
    { tag, wasGivenUp }: { readonly tag: string | null; readonly wasGivenUp: boolean },
  ): void {
    // Once the transaction is given up, each further statement shares the fate of the first.
    if (!(answer instanceof MirrorReply)) return this.note(statement, wasGivenUp ? null : answer);
    if (tag === null || answer.tag === tag) return this.note(statement, null);
    const why = `the monolith answered ${tag}, the new database ${answer.tag ?? 'nothing'}`;
    this.note(statement, mirror.giveUp(failureOf('rows', why)));
  }

  note(statement: MirroredStatement, failure: MirrorFailure | null): void {
    this.follow(this.#session.tx);
    const { mirroring, fingerprint } = statement;
    if (failure === null) this.#session.traffic.counters.mirrored++;
    this.#ledger.note(mirroring, fingerprint, failure, statement.keys);
  }

  giveUp(reason: DivergenceReason, why: string): void {
    for (const mirror of this.#mirrors.values()) if (mirror.isOpen) mirror.giveUp(failureOf(reason, why));
  }

  beginEnd(): () => void {
    let done = (): void => undefined;
    const ending = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.#ending = ending;
    return () => {
      if (this.#ending === ending) this.#ending = null;
      done();
    };
  }

  async end(outcome: Outcome): Promise<void> {
    const failures = new Map<string, MirrorFailure>();
    for (const [database, mirror] of this.#mirrors) {
      if (!mirror.isOpen) continue;
      const failure = await mirror.end(outcome === 'committed');
      if (failure !== null) failures.set(database, failure);
    }
    this.#tell(outcome, failures);
  }

  #tell(outcome: Outcome, failures: ReadonlyMap<string, MirrorFailure>): void {
    this.#followed = null;
    const entries = this.#ledger.take();
    if (outcome === 'rolled back') return;
    for (const entry of entries) {
      const failure = entry.failure ?? sharedFailure(outcome, failures.get(entry.mirroring.database));
      if (failure !== null) this.#diverged(entry, failure);
    }
  }

  #diverged({ mirroring, fingerprint, keys, count }: LedgerEntry, failure: MirrorFailure): void {
    const { traffic, start } = this.#session;
    const [table = null] = mirroring.tables;
    for (const { name, database } of mirroring.domains) {
      const rows = [...new Set(keys.flatMap((read) => read()))];
      const divergence = { domain: name, table, database, fingerprint, keys: rows, count, at: Date.now() };
      traffic.counters.diverged(name, failure.reason, count);
      traffic.events.diverged?.({ ...divergence, ...failure, service: start.info.service });
    }
  }

  reset(): void {
    for (const mirror of this.#mirrors.values()) mirror.reset();
  }

  close(unknown: boolean): void {
    for (const mirror of this.#mirrors.values()) mirror.close();
    this.#tell(unknown ? 'unknown' : 'rolled back', new Map());
  }
}

/** What has run there well, and shares the end of its transaction. */
function sharedFailure(outcome: Outcome, failure: MirrorFailure | undefined): MirrorFailure | null {
  if (outcome === 'unknown') return failureOf('unknown', 'the COMMIT of the monolith was not answered');
  if (failure === undefined) return null;
  if (failure.reason === 'commit') return failure;
  return failureOf('transaction', `its transaction was not repeated: ${failure.why}`, failure.sqlstate);
}

/** The session's mirrors, made when there is something for them to do. */
export function mirrorsOf(session: SessionCore, budget: number): Mirrors {
  session.mirrors ??= new SessionMirrors(session);
  session.mirrors.allow(budget);
  return session.mirrors;
}
