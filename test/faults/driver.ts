import type { Plan } from './plan.js';
import type { World } from './world.js';

/** What keeps the copy in step: pgfig's mirror, or what stands in for it where the harness itself is tried. */
export interface MirrorDriver {
  readonly name: string;
  /** Settings of both servers. */
  readonly settings: Readonly<Record<string, string>>;
  /** pgfig's rules. */
  rules(plan: Plan, kafka: boolean): Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Before the load: from now on no change is missed. */
  install(world: World): Promise<void>;
  /** Tables are filled only after they are captured: nothing to backfill. */
  readonly emptyFirst?: true;
  /** Pids of the processes that hold the relay, where they are not pgfig's own. */
  controls?(): number[];
  /** Ends what the driver has started. */
  close?(): void;
  /** Copies what is there. @param again it was interrupted before @throws Error when it was interrupted */
  backfill(world: World, again: boolean): Promise<void>;
  /** @returns what is still on its way; null: nothing, the copy is as the source is now, once nobody writes */
  behind(world: World): Promise<string | null>;
  /** Whether the copy equals one moment of the source, so that an invariant must hold; asked in the same snapshot. */
  readonly wholeSql: string;
  /** What there is to know of a mirror that does not catch up. */
  report(world: World): Promise<string>;
}
