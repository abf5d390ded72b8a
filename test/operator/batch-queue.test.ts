import t from 'tap';
import { BatchQueue, type Outcome } from '../../src/operator/batch-queue.js';
import { until } from './statement-records.js';

interface Attempt {
  readonly batch: readonly string[];
  answer(outcome: Outcome): void;
}

/** A queue whose tries the test answers. */
function opened(
  over: { most?: number; mostPerBatch?: number; mostBytes?: number; linger?: number; pause?: number } = {},
) {
  const attempts: Attempt[] = [];
  const queue = new BatchQueue<string>({
    most: over.most ?? 100,
    mostPerBatch: over.mostPerBatch ?? 3,
    mostBytes: over.mostBytes ?? 1_000,
    linger: over.linger ?? 1,
    firstPause: over.pause ?? 1,
    longestPause: over.pause ?? 4,
    bytesOf: (item) => item.length,
    attempt: (batch) => new Promise((answer) => attempts.push({ batch: [...batch], answer })),
  });
  const attempt = async (index: number): Promise<Attempt> => {
    await until(() => attempts.length > index, `try ${index}`);
    return attempts[index] as Attempt;
  };
  return { queue, attempts, attempt };
}

t.test('one batch at a time, in order, bounded in number and bytes', async (t) => {
  const { queue, attempts, attempt } = opened({ mostBytes: 10 });
  for (const item of ['a', 'b', 'c', 'd', 'eeeeeeee', 'ffffffffffffff']) queue.offer(item);
  t.equal(attempts.length, 0, 'nothing within the call');
  t.same((await attempt(0)).batch, ['a', 'b', 'c']);
  t.equal(attempts.length, 1, 'the next waits for its answer');
  t.equal(queue.waiting, 6);
  (await attempt(0)).answer('done');
  t.same((await attempt(1)).batch, ['d', 'eeeeeeee']);
  (await attempt(1)).answer('done');
  t.same((await attempt(2)).batch, ['ffffffffffffff'], 'what is too large goes alone');
  (await attempt(2)).answer('done');
  await until(() => queue.waiting === 0, 'all are gone');
  t.same([queue.done, queue.dropped], [6, 0]);
  queue.offer('g');
  (await attempt(3)).answer('done');
  await queue.close(1_000);
  t.equal(queue.done, 7);
});

t.test('what comes beyond the bound is dropped, and what is there stays', async (t) => {
  const { queue, attempt } = opened({ most: 4 });
  for (const item of ['a', 'b', 'c', 'd', 'e', 'f']) queue.offer(item);
  t.ok(queue.full);
  t.same([queue.waiting, queue.dropped], [4, 2]);
  const first = await attempt(0);
  t.ok(queue.full, 'what is on its way counts');
  first.answer('done');
  t.same((await attempt(1)).batch, ['d']);
  t.notOk(queue.full);
});

t.test('the same batch again, until it is taken or refused', async (t) => {
  const { queue, attempt } = opened();
  for (const item of ['a', 'b', 'c', 'd']) queue.offer(item);
  for (let i = 0; i < 5; i++) {
    const { batch, answer } = await attempt(i);
    t.same(batch, ['a', 'b', 'c']);
    answer(i < 4 ? 'again' : 'refused');
  }
  t.same((await attempt(5)).batch, ['d']);
  (await attempt(5)).answer('done');
  await until(() => queue.waiting === 0, 'all are gone');
  t.same([queue.done, queue.dropped], [1, 3]);
});

t.test('a full batch does not linger', async (t) => {
  const { queue, attempt } = opened({ linger: 3_600_000 });
  for (const item of ['a', 'b', 'c']) queue.offer(item);
  (await attempt(0)).answer('done');
  await until(() => queue.done === 3, 'sent');
  queue.offer('d');
  const closed = queue.close(10_000);
  t.same((await attempt(1)).batch, ['d'], 'nor does what is there at the end');
  (await attempt(1)).answer('done');
  await closed;
  queue.offer('e');
  t.same([queue.done, queue.dropped], [4, 1], 'nothing is taken after the end');
});

t.test('the end has a deadline, whatever is on its way', async (t) => {
  const { queue, attempt } = opened();
  for (const item of ['a', 'b', 'c', 'd']) queue.offer(item);
  const first = await attempt(0);
  await queue.close(20);
  t.same([queue.done, queue.dropped, queue.waiting], [0, 4, 0]);
  first.answer('done');
  await new Promise((resolve) => setImmediate(resolve));
  t.same([queue.done, queue.dropped, queue.waiting], [0, 4, 0], 'nothing is counted twice');
});

t.test('the end does not wait for the end of a pause', async (t) => {
  const { queue, attempts, attempt } = opened({ pause: 3_600_000 });
  queue.offer('a');
  (await attempt(0)).answer('again');
  const closed = queue.close(10_000);
  (await attempt(1)).answer('done');
  await closed;
  t.same([queue.done, queue.dropped, attempts.length], [1, 0, 2]);
});
