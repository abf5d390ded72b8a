import type { TurnOutcome } from '../../mirror/turn-outcome.js';
import type { HoldCounter } from '../counters.js';
import type { MirroredDomain } from './mirrored.js';
import { Pokes } from './pokes.js';

/** What a worker asks of the control process, where the relays are. */
export interface TurnRequests {
  /** To be answered with the same `id`, by `Turns.answered`, when a turn that begins from now on is over. */
  sync(id: number, domains: readonly string[]): void;
  /** Without an answer: something was written. */
  poke(domains: readonly string[]): void;
}

/** How the waiting of one commit for one domain ended. */
export type HoldOutcome = TurnOutcome | 'timeout' | 'canceled';

/** One commit that waits for one domain. */
export interface TurnWait {
  /** Resolves however it ends; never rejects. */
  readonly done: Promise<HoldOutcome>;
  /** Whoever waits goes. */
  cancel(): void;
}

interface Waiter {
  /** Where it stands now: another one once its request had to be sent again. */
  group: Group;
  end(outcome: HoldOutcome): void;
}

/** The commits that one request stands for. */
class Group {
  readonly domain: string;
  /** Of its request; 0: not sent yet. */
  id = 0;
  readonly waiters = new Set<Waiter>();

  constructor(domain: string) {
    this.domain = domain;
  }
}

/** The requests under way, and those who came after they were sent: their turns may have begun before that commit. */
interface Line {
  readonly asked: Set<Group>;
  next: Group | null;
  /** Sends the next request, with all whose commits the event loop finds at once. */
  soon: NodeJS.Immediate | null;
}

/**
 * Requests of one domain that may be under way. One alone would let a commit that just missed a turn miss the next one
 * too: it would be asked for only when that one has begun. More than a few would be messages for nothing.
 */
const MOST_ASKED = 4;

/**
 * Commits of one worker that wait for turns of the relays, in groups. A turn must begin after the commit, so nobody
 * joins a request that has been sent; where too many are under way, all who come meanwhile share the next one.
 */
export class Turns {
  readonly #requests: TurnRequests;
  readonly #counterOf: (domain: string) => HoldCounter;
  readonly #pokes: Pokes;
  readonly #lines = new Map<string, Line>();
  readonly #asked = new Map<number, Group>();
  #ids = 0;

  constructor(requests: TurnRequests, counterOf: (domain: string) => HoldCounter) {
    this.#requests = requests;
    this.#counterOf = counterOf;
    this.#pokes = new Pokes((domains) => requests.poke(domains));
  }

  poke(domain: string): void {
    this.#pokes.poke(domain);
  }

  /** Waits for a turn that begins from now on, for as long as the domain's rule allows. */
  wait({ name, timeout }: MirroredDomain): TurnWait {
    const counter = this.#counterOf(name);
    const line = this.#lineOf(name);
    line.next ??= new Group(name);
    const began = performance.now();
    counter.waiting++;
    let resolve: (outcome: HoldOutcome) => void = () => undefined;
    const done = new Promise<HoldOutcome>((resolved) => {
      resolve = resolved;
    });
    const waiter: Waiter = {
      group: line.next,
      end: (outcome) => {
        if (!waiter.group.waiters.delete(waiter)) return;
        clearTimeout(timer);
        counter.waiting--;
        counter.ended(outcome, (performance.now() - began) / 1_000);
        resolve(outcome);
      },
    };
    const timer = setTimeout(() => waiter.end('timeout'), timeout);
    line.next.waiters.add(waiter);
    if (line.asked.size === 0) this.#ask(line);
    else if (line.asked.size < MOST_ASKED) line.soon ??= setImmediate(() => this.#ask(line));
    return { done, cancel: () => waiter.end('canceled') };
  }

  /** The control process has answered a request; one that is not known any more is passed over. */
  answered(id: number, outcome: TurnOutcome): void {
    const group = this.#asked.get(id);
    if (group === undefined) return;
    this.#asked.delete(id);
    const line = this.#lineOf(group.domain);
    line.asked.delete(group);
    for (const waiter of [...group.waiters]) waiter.end(outcome);
    this.#ask(line);
  }

  /** A new control process has begun, which knows of no request: each is sent again, for all who wait by now. */
  controlStarted(): void {
    for (const [domain, line] of this.#lines) {
      if (line.asked.size === 0) continue;
      line.next ??= new Group(domain);
      const group = line.next;
      for (const { id, waiters } of line.asked) {
        // The old number dies: what the old process has answered last might have begun too early for those who join.
        this.#asked.delete(id);
        for (const waiter of waiters) {
          waiter.group = group;
          group.waiters.add(waiter);
        }
      }
      line.asked.clear();
      this.#ask(line);
    }
  }

  #lineOf(domain: string): Line {
    let line = this.#lines.get(domain);
    if (line === undefined) {
      line = { asked: new Set(), next: null, soon: null };
      this.#lines.set(domain, line);
    }
    return line;
  }

  #ask(line: Line): void {
    if (line.soon !== null) clearImmediate(line.soon);
    line.soon = null;
    if (line.asked.size === MOST_ASKED) return;
    const { next } = line;
    line.next = null;
    // They may all have gone meanwhile.
    if (next === null || next.waiters.size === 0) return;
    next.id = ++this.#ids;
    line.asked.add(next);
    this.#asked.set(next.id, next);
    this.#requests.sync(next.id, [next.domain]);
  }
}
