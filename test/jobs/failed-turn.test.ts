import t from 'tap';
import { inWholeTurn, type JobRelay, type JobRun } from '../../src/jobs/run/job-work.js';
import type { Job } from '../../src/jobs/store/job-store.js';
import { ordersSql } from '../../src/jobs/verify/key-order.js';
import { type VerifyResult, verifyJob } from '../../src/jobs/verify/verify-job.js';
import { DEFAULT_MIRROR } from '../../src/mirror/mirror.js';
import type { TurnWork } from '../../src/mirror/relay/relay-events.js';
import { readShapes } from '../../src/mirror/shape/read-shapes.js';
import { startPair } from './pair.js';

/** What a job does in a turn, and the turn that fails after it. */
const TABLE = 'public.a';
const pair = await startPair();
await pair.both('CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a SELECT g FROM generate_series(1, 100) g');

/** @param fails how many turns fail at their COMMIT */
function runOf(fails: number): { run: JobRun; kept: string[] } {
  let turns = 0;
  const relay: JobRelay = {
    mirror: {
      ...{ domain: 'a', phase: 'dual-write', source: 'monolith', target: 'new_db', tables: [TABLE] },
      rule: DEFAULT_MIRROR,
    },
    leader: {},
    turnAfterNow: () => null,
    whole: (work: TurnWork) =>
      pair.inTurn(async (sides) => {
        await work({ ...sides, shapes: await readShapes(sides.source, [TABLE]) });
        turns += 1;
        if (turns <= fails) throw new Error('the COMMIT failed');
      }),
  };
  const kept: string[] = [];
  const run = {
    config: pair.config,
    relay,
    job: {
      id: '1',
      domain: 'a',
      args: { tables: null, sample: 100, seed: '', values: false, most: 100 },
      progress: {
        tables: { [TABLE]: { pass: 'rows', after: null, chunks: 0, rows: 0, skipped: 0, found: 0, estimate: 1 } },
      },
    } as unknown as Job,
    divergences: {
      record: async (_domain: string, _table: string, _job: string, found: readonly { key: string }[]) => {
        kept.push(...found.map(({ key }) => key));
      },
      closeOthers: async () => void kept.push('close others'),
    } as unknown as JobRun['divergences'],
    signal: new AbortController().signal,
    progress: () => {},
    keep: async () => {},
  };
  return { run, kept };
}

t.test('a turn that fails after the last step of verify loses nothing that was found', async (t) => {
  await pair.target.query('DELETE FROM a WHERE id = 7');
  const { run, kept } = runOf(1);
  const result: VerifyResult = await verifyJob(run);
  t.same(kept, ['7', 'close others']);
  t.match(result, { good: false, divergences: 1 });
});

t.test('what a job fails at is undone, and the turn can go on', async (t) => {
  const { run } = runOf(0);
  const { relay } = run;
  let after: unknown;
  const work = relay.whole;
  relay.whole = (asked) =>
    work(async (turn) => {
      await asked(turn);
      const rows = await Promise.all([
        turn.source.query('SELECT 1'),
        turn.target.query('SELECT v FROM public.a WHERE id = 1'),
      ]);
      after = rows[1].rows;
    });
  for (const side of ['source', 'target'] as const) {
    const failing = inWholeTurn(run, async (turn) => {
      await turn.target.query("UPDATE public.a SET v = 'half done' WHERE id = 1");
      await turn[side].query('SELECT 1 / 0');
    });
    await t.rejects(failing, { code: '22012' });
    t.same(after, [{ v: null }]);
  }
});

t.test('the order of keys before version 15 is told the same', async (t) => {
  await pair.source.query('CREATE TABLE k (a text, b int, c text COLLATE "C")');
  const { rows } = await pair.source.query<{ oid: number }>("SELECT 'k'::regclass::oid AS oid");
  const oid = rows[0]?.oid ?? 0;
  const [old, now] = await Promise.all([140_000, 150_000].map((version) => pair.source.query(ordersSql(oid, version))));
  t.same(old?.rows, now?.rows);
  t.equal(old?.rows.length, 3);
  t.notMatch(ordersSql(oid, 140_000), /d\.datlocprovider|pg_database_collation_actual_version/);
});
