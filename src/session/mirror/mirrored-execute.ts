import { Expect } from '../../backend/reply-queue.js';
import { execute, flush, sync } from '../../wire/frontend-messages.js';
import type { Portal } from '../extended/prepared.js';
import { parseFor } from '../extended/prepared-statements.js';
import type { SessionCore } from '../session-core.js';
import type { SessionLink } from '../session-link.js';
import type { MirrorReply } from './mirror-owner.js';
import { type StartedCopy, startCopy, whenCopied } from './mirrored-copy.js';
import { mirroredAt, noteRefused, queryOf, takeTags, unnamed } from './mirrored-text.js';
import { mirrorsOf } from './session-mirrors.js';
import { keysOf } from './statement-keys.js';

/**
 * Execute of a portal whose statement is mirrored. It leaves the pipeline: the monolith answers it (by Flush, so that
 * the implicit transaction stays open), then the new database runs it, and only then comes what the client sent next.
 * @param send sends Execute to the monolith
 */
export function executeMirrored(session: SessionCore, portal: Portal, target: SessionLink, send: () => void): void {
  session.flushRun();
  session.block(executeOnBoth(session, portal, target, send), false);
}

async function executeOnBoth(
  session: SessionCore,
  portal: Portal,
  target: SessionLink,
  send: () => void,
): Promise<void> {
  const { plan } = portal.prepared;
  // The rest of its rows: the statement itself was run by the first Execute.
  const begun = portal.begun === true;
  await session.activeAnswered();
  if (session.skipping || session.closed) return;
  if (plan.mirror !== null) mirrorsOf(session, plan.mirror.timeout);
  const copies = plan.parsed.statements[0]?.copyStream === 'in' && mirroredAt(plan, 0)?.mirroring.refusal === null;
  const copy = copies ? await startCopy(session, plan, queryOf(textOfParse(portal.prepared.parse))) : null;
  session.tags = [];
  send();
  session.flushRun();
  target.link.send(flush);
  await session.answered(target);
  if (session.copyIn) whenCopied(session, copy, false, () => after(session, portal, begun, copy));
  else await after(session, portal, begun, copy);
}

async function after(session: SessionCore, portal: Portal, begun: boolean, copy: StartedCopy | null): Promise<void> {
  const [tag = null] = takeTags(session);
  if (session.closed || begun) return;
  const good = !session.skipping && session.pipelineFailure === null;
  if (copy !== null) return copy.end(good, tag);
  if (!good) return;
  const { prepared, bind } = portal;
  const found = mirroredAt(prepared.plan, 0);
  if (found === null || found.mirroring.refusal !== null || bind === undefined) {
    return noteRefused(session, prepared.plan);
  }
  const statement = { ...found, keys: keysOf(session, found.mirroring, textOfParse(prepared.parse), bind) };
  const timeout = prepared.plan.mirror?.timeout ?? 0;
  const run = execute('', 0);
  await mirrorsOf(session, timeout).repeat(statement, tag, timeout, (to: SessionLink, reply: MirrorReply) => {
    // OIDs of user types are home's in what the client says, and the new database's own there.
    const parse = unnamed(parseFor(session, prepared, to));
    for (const expect of [Expect.Parse, Expect.Bind, Expect.Execute, Expect.Sync]) to.link.queue.push(expect, reply);
    to.link.send(Buffer.concat([parse, unnamed(bind), run, sync]));
  });
}

function textOfParse(parse: Buffer): Buffer {
  const nameEnd = parse.indexOf(0, 5);
  return parse.subarray(nameEnd + 1, parse.indexOf(0, nameEnd + 1));
}
