import { Expect, ReplyQueue } from '../../src/backend/reply-queue.js';
import { FrameReader, HEADER, messageLength } from '../../src/wire/framer.js';
import { B } from '../../src/wire/types.js';
import { message } from '../workloads/wire-client.js';
import type { Part } from './measure.js';

/** A backend's answer in one read: 64 KB of rows as `pgbench_accounts` has them. */
const ROW = message('D', Buffer.concat([Buffer.from([0, 1, 0, 0, 0, 84]), Buffer.alloc(84, 'x')]));
const ROWS = Buffer.concat(Array.from({ length: Math.floor(65536 / ROW.length) }, () => ROW));
const ROWS_IN_CHUNK = ROWS.length / ROW.length;

/** Finding the ends of messages, and following what they answer. */
export const FRAMER_PARTS: readonly Part[] = [
  {
    name: 'framer/header-of-a-row',
    run: (times) => {
      let messages = 0;
      while (messages < times) {
        for (let at = 0; at + HEADER <= ROWS.length; at += 1 + messageLength(ROWS, at)) messages++;
      }
      return messages / ROWS_IN_CHUNK;
    },
  },
  {
    name: 'framer/whole-message',
    run: (times) => {
      const reader = new FrameReader();
      let bytes = 0;
      for (let i = 0; i < times; i++) for (const { body } of reader.push(ROW)) bytes += body.length;
      return bytes;
    },
  },
  {
    name: 'framer/replies-of-a-query',
    run: (times) => {
      const queue = new ReplyQueue();
      for (let i = 0; i < times; i++) {
        queue.push(Expect.Query);
        queue.take(B.RowDescription);
        queue.take(B.DataRow);
        queue.take(B.CommandComplete);
        queue.take(B.ReadyForQuery);
      }
      return queue.shown;
    },
  },
];
