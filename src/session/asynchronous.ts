import type { Link } from '../backend/link.js';
import { stableCopy } from '../net/slab.js';
import { notificationResponse } from '../wire/backend-messages.js';
import { decodeNotification } from '../wire/decode.js';
import { B } from '../wire/types.js';
import type { SessionCore } from './session-core.js';

/**
 * Notices and notifications, which come at any time (55.2.7). What pgfig's own statements provoke is not the
 * client's to see; a notification from the session's own backend carries the process id that the client knows.
 */
export function onAsync(
  session: SessionCore,
  link: Link,
  type: number,
  chunk: Buffer,
  start: number,
  end: number,
  hidden: boolean,
): void {
  if (type === B.NoticeResponse) {
    if (!hidden) session.client.say(stableCopy(chunk, start, end));
    return;
  }
  const { pid, channel, payload } = decodeNotification(chunk, start + 5, end);
  const own = pid === link.identity.pid;
  session.client.say(notificationResponse(own ? session.start.info.pid : pid, channel, payload));
  session.client.flush();
}
