import { spawn } from 'node:child_process';
import { until } from '../clients/conditions.js';
import { PGFIG } from '../support/pgfig.js';
import type { MirrorDriver } from './driver.js';
import type { Plan } from './plan.js';
import { TABLES } from './schema.js';
import type { World } from './world.js';

const DOMAIN = 'shop';
const COMMAND_DEADLINE_MS = 60_000;
const INSTALL_MS = 60_000;
const names = TABLES.map((table) => `public.${table}`);

/** pgfig itself: what the harness is there for. */
export const pgfigDriver: MirrorDriver = {
  name: 'pgfig',
  settings: {},
  rules: (plan: Plan, kafka: boolean) => ({
    [DOMAIN]: {
      database: 'new_shop',
      tables: names,
      phase: 'dual-write',
      mirror: { capture: 'outbox', apply: plan.apply, syncTimeout: '500ms' },
      ...(kafka && { events: {} }),
    },
  }),
  // Entering dual-write installs.
  install: async (world) => {
    // The last that an install does.
    const all = 'SELECT count(*)::int AS count FROM pgfig.relay_tables';
    await until(
      'every table is captured',
      async () => (await world.inTarget<{ count: number }>(all).catch(() => []))[0]?.count === names.length,
      INSTALL_MS,
    );
    if (world.kafka === null) return;
    await until(
      'the feed has begun',
      async () =>
        (await world.inSource('SELECT FROM pgfig.consumers WHERE position::text <> $$3:3:$$').catch(() => [])).length >
        0,
      INSTALL_MS,
    );
  },
  backfill: async (world, again) => {
    await command(world, ['backfill', DOMAIN, ...(again ? ['--resume'] : [])]);
    const left = await notInStep(world);
    if (left.length > 0) throw new Error(`backfill ended, and not in step are ${left.join('; ')}`);
  },
  behind: async (world) => {
    const [relay] = await world.inTarget<{ position: string; mirror: number; whole: boolean }>(
      'SELECT position::text, mirror, whole FROM pgfig.relay WHERE domain = $1',
      [DOMAIN],
    );
    if (relay === undefined) return 'no position';
    const left = await notInStep(world);
    if (left.length > 0) return `not in step: ${left.join('; ')}`;
    const [waiting] = await world.inSource<{ count: number; oldest: string }>(
      `SELECT count(*)::int AS count, min(xid::text::numeric)::text AS oldest FROM pgfig.outbox
       WHERE mirror = $1 AND NOT pg_visible_in_snapshot(xid, $2::pg_snapshot)`,
      [relay.mirror, relay.position],
    );
    if ((waiting?.count ?? 0) > 0) {
      return `${waiting?.count} events that position ${relay.position} does not see, the oldest of ${waiting?.oldest}`;
    }
    return relay.whole ? unsent(world) : 'the position is not whole';
  },
  wholeSql: `SELECT whole AND NOT EXISTS (SELECT FROM pgfig.relay_tables WHERE state <> 'in-step') AS whole
    FROM pgfig.relay WHERE domain = '${DOMAIN}'`,
  report: async (world) => {
    const relay = await world.inTarget('SELECT * FROM pgfig.relay').catch(String);
    const tables = await world
      .inTarget("SELECT table_name, state, reason, backfill FROM pgfig.relay_tables WHERE state <> 'in-step'")
      .catch(String);
    const outbox = await world
      .inSource(
        'SELECT mirror, tbl::regclass, op, count(*)::int, min(xid::text), max(xid::text) FROM pgfig.outbox GROUP BY 1, 2, 3',
      )
      .catch(String);
    return JSON.stringify({ relay, tables, outbox }, null, 1);
  },
};

/** What a consumer beside the copy has not had. */
const unsent = async (world: World): Promise<string | null> => {
  const [late] = await world.inSource<{ consumer: string; count: number }>(
    `SELECT c.consumer, count(*)::int AS count FROM pgfig.outbox o
       JOIN pgfig.consumers c ON c.mirror = o.mirror AND NOT pg_visible_in_snapshot(o.xid, c.position)
      GROUP BY 1 ORDER BY 1 LIMIT 1`,
  );
  return late === undefined ? null : `${late.count} events that ${late.consumer} has not had`;
};

const notInStep = async (world: World): Promise<string[]> => {
  const rows = await world.inTarget<{ table_name: string; state: string; reason: string | null }>(
    "SELECT table_name, state, reason FROM pgfig.relay_tables WHERE domain = $1 AND state <> 'in-step'",
    [DOMAIN],
  );
  return rows.map(({ table_name, state, reason }) => `${table_name} ${state}${reason === null ? '' : ` (${reason})`}`);
};

/** Runs a command of pgfig with the config of the first instance. @throws Error with what it wrote */
export async function command(world: World, args: readonly string[]): Promise<string> {
  const config = world.pgfigs[0]?.configFile ?? '';
  const child = spawn(process.execPath, [PGFIG, ...args, '--config', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      output += data.toString();
    });
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_DEADLINE_MS);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  if (code !== 0) throw new Error(`pgfig ${args.join(' ')} ended with ${code}: ${output.slice(-1_000)}`);
  return output;
}
