import t from 'tap';
import { judgeTopic, type RowState } from './topic-judge.js';
import type { Message } from './topic-reader.js';

/** A message of row `id` of table a. */
const message = (id: number, event: number, state: string | null, more: Partial<Message> = {}): Message => ({
  partition: 0,
  key: `{"table":"public.a","key":{"id":${id}}}`,
  value: state,
  id: `shop:7:${event}`,
  op: 'update',
  position: `${700 + event}:${700 + event}:`,
  ...more,
});
const key = (id: number): string => `public.a {"id":${id}}`;
const rows = (...given: readonly [id: number, state: string, changed: boolean][]): Map<string, RowState> =>
  new Map(given.map(([id, state, changed]) => [key(id), { state, changed }]));
const emptied = (event: number, partition: number): Message =>
  message(0, event, '{"op":"truncate","table":"public.a","partition":null}', {
    key: '{"table":"public.a","key":null}',
    op: 'truncate',
    partition,
    id: `shop:7:${event}:${partition}`,
  });

const NONE = new Map<string, RowState>();
const fine = { before: rows([3, 'old', false]), after: rows([1, 'b', true], [2, 'c', true]), acked: [key(1)] };
const messages = [message(1, 1, 'a'), message(2, 2, 'c'), message(3, 3, null), message(1, 4, 'b')];

t.test('what is as it should be', async (t) => {
  t.strictSame(judgeTopic(messages, fine), []);
  const repeated = [
    ...messages,
    message(2, 2, 'c', { position: '800:800:' }),
    message(1, 4, 'b', { position: '800:800:' }),
  ];
  t.strictSame(judgeTopic(repeated, fine), [], 'exact repeats, read later');
  const anew = [message(1, 1, 'a'), emptied(2, 0), emptied(2, 1), message(2, 3, 'c')];
  t.strictSame(judgeTopic(anew, { before: rows([9, 'old', false]), after: rows([2, 'c', true]), acked: [] }), []);
  t.strictSame(judgeTopic([], { before: rows([1, 'a', false]), after: rows([1, 'a', false]), acked: [] }), []);
});

t.test('what is not is found', async (t) => {
  const found = (given: readonly Message[], facts = fine): string => judgeTopic(given, facts).join('\n');
  t.match(found(messages, { ...fine, acked: [key(8)] }), /acknowledged and never in the topic/);
  t.match(found(messages.slice(0, 1)), /changed and never in the topic, e.g. public.a {"id":2}/);
  t.match(found(messages.slice(0, 3)), /not what its last message says, e.g. public.a {"id":1}: a/);
  t.match(found(messages.filter(({ value }) => value !== null)), /gone without a message, e.g. public.a {"id":3}/);
  t.match(found([...messages, message(5, 6, 'x')]), /gone, which the topic does not say/);
  t.match(found([...messages, message(2, 1, 'c', { position: '800:800:' })]), /out of order/);
  t.match(found([...messages, message(2, 5, 'c', { position: '1:1:' })]), /older than what came before/);
  t.match(found([...messages, message(2, 5, 'c', { partition: 1 })]), /in two partitions/);
  const elsewhere = [message(1, 1, 'a', { partition: 1 }), emptied(2, 0)];
  const facts = { before: NONE, after: NONE, acked: [] };
  t.match(found(elsewhere, facts), /gone, which the topic does not say/, 'a truncation holds for its partition');
});
