import fc from 'fast-check';
import t from 'tap';
import { Expect, type Hidden, ReplyQueue, type Watcher } from '../../src/backend/reply-queue.js';
import { B } from '../../src/wire/types.js';

const note = (log: string[], name: string): Watcher => ({
  onDone: (ok) => log.push(`${name} ${ok ? 'ok' : 'failed'}`),
});

t.test('each request ends with its own message, and with no other', async (t) => {
  const all = [
    B.BindComplete,
    B.CloseComplete,
    B.CommandComplete,
    B.CopyData,
    B.CopyDone,
    B.CopyOutResponse,
    B.DataRow,
    B.EmptyQueryResponse,
    B.FunctionCallResponse,
    B.NoData,
    B.ParameterDescription,
    B.ParseComplete,
    B.PortalSuspended,
    B.ReadyForQuery,
    B.RowDescription,
  ];
  const ends = new Map<Expect, readonly number[]>([
    [Expect.Query, [B.ReadyForQuery]],
    [Expect.Parse, [B.ParseComplete]],
    [Expect.Bind, [B.BindComplete]],
    [Expect.Describe, [B.RowDescription, B.NoData]],
    [Expect.Execute, [B.CommandComplete, B.EmptyQueryResponse, B.PortalSuspended]],
    [Expect.Close, [B.CloseComplete]],
    [Expect.Sync, [B.ReadyForQuery]],
  ]);
  for (const [kind, types] of ends) {
    for (const type of all) {
      const queue = new ReplyQueue();
      queue.push(kind);
      queue.take(type);
      t.equal(queue.size, types.includes(type) ? 0 : 1, `request ${kind}, message ${String.fromCharCode(type)}`);
      t.equal(queue.shown, queue.size);
    }
  }
});

t.test('a pipeline is answered in order', async (t) => {
  const queue = new ReplyQueue();
  const log: string[] = [];
  for (const [kind, name] of [
    [Expect.Parse, 'parse'],
    [Expect.Bind, 'bind'],
    [Expect.Describe, 'describe'],
    [Expect.Execute, 'execute'],
    [Expect.Sync, 'sync'],
  ] as const) {
    queue.push(kind, null, note(log, name));
  }
  t.equal(queue.owedReady, 1);
  for (const type of [B.ParseComplete, B.BindComplete, B.RowDescription, B.DataRow, B.DataRow, B.CommandComplete]) {
    queue.take(type);
  }
  t.strictSame(log, ['parse ok', 'bind ok', 'describe ok', 'execute ok']);
  t.equal(queue.size, 1);
  queue.take(B.ReadyForQuery);
  t.strictSame(log.at(-1), 'sync ok');
  t.equal(queue.owedReady, 0);
});

t.test('several results of one query string are one request', async (t) => {
  const queue = new ReplyQueue();
  queue.push(Expect.Query);
  for (const type of [B.RowDescription, B.CommandComplete, B.CommandComplete, B.ErrorResponse]) queue.take(type);
  t.equal(queue.size, 1);
  t.notOk(queue.needsSync, 'its ReadyForQuery comes by itself');
  queue.take(B.ReadyForQuery);
  t.equal(queue.size, 0);
});

t.test('an error skips to the next Sync, not past it', async (t) => {
  const queue = new ReplyQueue();
  const log: string[] = [];
  for (const name of ['first', 'second']) {
    queue.push(Expect.Parse, null, note(log, `${name} parse`));
    queue.push(Expect.Bind, null, note(log, `${name} bind`));
    queue.push(Expect.Sync, null, note(log, `${name} sync`));
  }
  queue.take(B.ErrorResponse);
  t.strictSame(log, ['first parse failed', 'first bind failed']);
  t.notOk(queue.needsSync);
  queue.take(B.ReadyForQuery);
  for (const type of [B.ParseComplete, B.BindComplete, B.ReadyForQuery]) queue.take(type);
  t.strictSame(log.slice(2), ['first sync ok', 'second parse ok', 'second bind ok', 'second sync ok']);
});

t.test('an error without a Sync behind it: one must be sent, and a Query behind it is skipped too', async (t) => {
  const queue = new ReplyQueue();
  const log: string[] = [];
  queue.push(Expect.Execute);
  queue.push(Expect.Query, null, note(log, 'query'));
  queue.take(B.ErrorResponse);
  t.ok(queue.needsSync);
  t.equal(queue.size, 0);
  t.strictSame(log, ['query failed']);
});

t.test('hidden requests: whose reply comes next is known before it is taken', async (t) => {
  const queue = new ReplyQueue();
  const log: string[] = [];
  const own: Hidden = { onDone: (ok) => log.push(ok ? 'ok' : 'failed') };
  queue.push(Expect.Parse, own);
  queue.push(Expect.Query);
  queue.push(Expect.Sync, own);
  t.equal(queue.shown, 1);
  t.equal(queue.owedReady, 1, 'a hidden Sync is not the client’s');
  t.equal(queue.headHidden, own);
  t.equal(queue.take(B.ParseComplete), own);
  t.equal(queue.headHidden, null);
  t.equal(queue.take(B.RowDescription), null);
  t.equal(queue.take(B.ReadyForQuery), null);
  t.equal(queue.headHidden, own);
  t.equal(queue.take(B.ReadyForQuery), own);
  t.equal(queue.headHidden, null);
  t.strictSame(log, ['ok', 'ok']);
});

t.test('an error in a hidden request takes the client’s along, and says whose it was', async (t) => {
  const queue = new ReplyQueue();
  const log: string[] = [];
  queue.push(Expect.Execute, { onDone: (ok) => log.push(`hidden ${ok}`) });
  queue.push(Expect.Bind, null, note(log, 'bind'));
  queue.push(Expect.Sync);
  queue.take(B.ErrorResponse);
  t.ok(queue.failedHidden);
  t.strictSame(log, ['hidden false', 'bind failed']);
  t.equal(queue.shown, 1);
  queue.take(B.ReadyForQuery);
  queue.push(Expect.Execute);
  queue.take(B.ErrorResponse);
  t.notOk(queue.failedHidden, 'the next one was the client’s own');
});

t.test('COPY FROM STDIN', async (t) => {
  await t.test('a Sync within it is owed nothing, the one after its end is', async (t) => {
    const queue = new ReplyQueue();
    for (const kind of [Expect.Parse, Expect.Bind, Expect.Execute, Expect.Sync]) queue.push(kind);
    queue.take(B.ParseComplete);
    queue.take(B.BindComplete);
    queue.take(B.CopyInResponse);
    t.ok(queue.copyIn);
    t.equal(queue.size, 1, 'the Sync is forgotten');
    queue.push(Expect.CopyEnd);
    queue.push(Expect.Sync);
    t.equal(queue.shown, 2);
    queue.take(B.CommandComplete);
    t.notOk(queue.copyIn);
    t.equal(queue.size, 1, 'the end of the copy went with its Execute');
    queue.take(B.ReadyForQuery);
    t.equal(queue.size, 0);
  });

  await t.test('all of it sent before CopyInResponse came', async (t) => {
    const queue = new ReplyQueue();
    const log: string[] = [];
    queue.push(Expect.Execute, null, note(log, 'execute'));
    queue.push(Expect.Sync, null, note(log, 'forgotten'));
    queue.push(Expect.CopyEnd);
    queue.push(Expect.Sync, null, note(log, 'sync'));
    queue.take(B.CopyInResponse);
    queue.take(B.CommandComplete);
    t.equal(queue.shown, 1);
    queue.take(B.ReadyForQuery);
    t.strictSame(log, ['execute ok', 'sync ok']);
    t.equal(queue.size, 0);
    t.equal(queue.shown, 0);
  });

  await t.test('an error ends it', async (t) => {
    const queue = new ReplyQueue();
    queue.push(Expect.Execute);
    queue.take(B.CopyInResponse);
    queue.push(Expect.CopyEnd);
    queue.push(Expect.Sync);
    queue.take(B.ErrorResponse);
    t.notOk(queue.copyIn);
    t.notOk(queue.needsSync);
    queue.take(B.ReadyForQuery);
    t.equal(queue.size, 0);
  });

  await t.test('an end without a copy is owed nothing', async (t) => {
    const queue = new ReplyQueue();
    queue.push(Expect.CopyEnd);
    t.equal(queue.size, 0);
    queue.push(Expect.Query);
    queue.push(Expect.CopyEnd);
    queue.take(B.ReadyForQuery);
    t.equal(queue.size, 0);
  });
});

t.test('nothing outstanding: what comes belongs to nobody', async (t) => {
  const queue = new ReplyQueue();
  for (const type of [B.ErrorResponse, B.ReadyForQuery, B.DataRow]) t.equal(queue.take(type), null);
  t.equal(queue.size, 0);
  t.notOk(queue.needsSync);
});

t.test('abandon fails everything, and the queue can be used again', async (t) => {
  const queue = new ReplyQueue();
  const log: string[] = [];
  queue.push(Expect.Execute, null, note(log, 'execute'));
  queue.take(B.CopyInResponse);
  queue.push(Expect.Sync, { onDone: (ok) => log.push(`hidden ${ok}`) });
  queue.abandon();
  t.strictSame(log, ['execute failed', 'hidden false']);
  t.same([queue.size, queue.shown, queue.copyIn, queue.needsSync], [0, 0, false, false]);
  queue.push(Expect.Query);
  queue.take(B.ReadyForQuery);
  t.equal(queue.size, 0);
});

t.test('a request may be pushed while another one is being told of its end', async (t) => {
  const queue = new ReplyQueue();
  const log: string[] = [];
  queue.push(Expect.Query, null, {
    onDone: () => {
      for (let i = 0; i < 40; i++) queue.push(Expect.Parse, null, note(log, `pushed ${i}`));
    },
  });
  queue.take(B.ReadyForQuery);
  t.equal(queue.size, 40);
  for (let i = 0; i < 40; i++) queue.take(B.ParseComplete);
  t.equal(log.length, 40);
  t.equal(log.at(-1), 'pushed 39 ok');
});

/** The same machine as plainly as it can be written: an array, walked every time. */
class Reference {
  entries: { kind: Expect; hidden: Hidden | null; name: string }[] = [];
  needsSync = false;
  copyIn = false;
  readonly log: string[] = [];

  push(kind: Expect, hidden: Hidden | null, name: string): void {
    this.entries.push({ kind, hidden, name });
    if (kind === Expect.CopyEnd && this.entries.length === 1) this.drop(true);
  }

  drop(ok: boolean): void {
    const [head] = this.entries.splice(0, 1);
    if (head !== undefined) this.log.push(`${head.name} ${ok ? 'ok' : 'failed'}`);
  }

  take(type: number): Hidden | null {
    const [head] = this.entries;
    if (head === undefined) return null;
    const answers: Record<number, readonly number[]> = {
      [Expect.Query]: [B.ReadyForQuery],
      [Expect.Parse]: [B.ParseComplete],
      [Expect.Bind]: [B.BindComplete],
      [Expect.Describe]: [B.RowDescription, B.NoData],
      [Expect.Execute]: [B.CommandComplete, B.EmptyQueryResponse, B.PortalSuspended],
      [Expect.Close]: [B.CloseComplete],
      [Expect.Sync]: [B.ReadyForQuery],
    };
    if (answers[head.kind]?.includes(type)) {
      this.copyIn = false;
      this.drop(true);
      while (this.entries[0]?.kind === Expect.CopyEnd) this.drop(true);
    } else if (type === B.ErrorResponse) {
      this.copyIn = false;
      if (head.kind === Expect.Query || head.kind === Expect.Sync) return head.hidden;
      while (this.entries.length > 0 && this.entries[0]?.kind !== Expect.Sync) this.drop(false);
      if (this.entries.length === 0) this.needsSync = true;
    } else if (type === B.CopyInResponse) {
      this.copyIn = true;
      while (this.entries[1]?.kind === Expect.Sync) this.entries.splice(1, 1);
    }
    return head.hidden;
  }
}

type Step = { readonly push: Expect; readonly hidden: boolean } | { readonly take: number };

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ push: fc.constantFrom(...Object.values(Expect)), hidden: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({
        take: fc.constantFrom(
          ...[B.ReadyForQuery, B.ParseComplete, B.BindComplete, B.RowDescription, B.NoData, B.CommandComplete],
          ...[B.PortalSuspended, B.CloseComplete, B.ErrorResponse, B.CopyInResponse, B.DataRow],
        ),
      }),
    },
  ) as fc.Arbitrary<Step>,
  { maxLength: 120 },
);

t.test('whatever is sent and answered, it agrees with a plain list', async () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const queue = new ReplyQueue();
      const reference = new Reference();
      const log: string[] = [];
      sequence.forEach((step, at) => {
        if ('push' in step) {
          const name = `${step.push}#${at}`;
          const hidden: Hidden | null = step.hidden
            ? { onDone: (ok) => log.push(`${name} ${ok ? 'ok' : 'failed'}`) }
            : null;
          queue.push(step.push, hidden, hidden === null ? note(log, name) : null);
          reference.push(step.push, hidden, name);
        } else if (queue.take(step.take) !== reference.take(step.take)) throw new Error(`owner differs at step ${at}`);
        const mine = [
          queue.size,
          queue.shown,
          queue.owedReady,
          queue.headHidden,
          queue.needsSync,
          queue.copyIn,
          log.join(),
        ];
        const shown = reference.entries.filter(({ hidden }) => hidden === null);
        const theirs = [
          reference.entries.length,
          shown.filter(({ kind }) => kind !== Expect.CopyEnd).length,
          shown.filter(({ kind }) => kind === Expect.Query || kind === Expect.Sync).length,
          reference.entries[0]?.hidden ?? null,
          reference.needsSync,
          reference.copyIn,
          reference.log.join(),
        ];
        const differs = mine.findIndex((value, i) => value !== theirs[i]);
        if (differs >= 0)
          throw new Error(`differs at step ${at}, field ${differs}: ${mine[differs]} ${theirs[differs]}`);
      });
    }),
    { numRuns: 3000 },
  );
});
