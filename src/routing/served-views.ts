import { NO_TOUCHES } from '../sql/touches.js';
import type { RoutingContext } from './context.js';
import { Follower } from './follow.js';
import { tableNeed } from './need.js';
import type { ResolvedTable } from './resolve.js';

/** Databases that have a view without a rule and all that it reads: where it is read now. */
export function servedAt(view: ResolvedTable, context: RoutingContext): readonly string[] {
  const { ref, reads } = view;
  if (ref === null || reads === null) return [];
  return reads.filter((database) => {
    const follower = new Follower(database, context, [tableNeed(view, 'read')]);
    follower.statement({ ...NO_TOUCHES, reads: [ref] });
    return follower.result().all.every(({ homes }) => homes === null || homes.includes(database));
  });
}
