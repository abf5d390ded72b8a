import { parseArgs } from 'node:util';
import { TARGETS } from '../targets/index.js';

/** The command line asks for what there is not. */
export class UsageError extends Error {}

export interface BenchOptions {
  /** A measurement runs when its name contains one of these; empty: all. */
  readonly only: readonly string[];
  readonly targets: readonly string[];
  readonly rounds: number;
  /** Length of a timed run. */
  readonly seconds: number;
  readonly scale: number;
  readonly copyMegabytes: number;
  readonly rows: number;
  /** Statements of one round of the latency measurement, per target. */
  readonly latencyStatements: number;
  /** Idle clients to open; 0: not measured. */
  readonly idleClients: number;
  /** Seconds that each target runs before a workload is measured; 0: none. */
  readonly warmUp: number;
  readonly micro: boolean;
  readonly saveBaseline: boolean;
  /** Folder of the results. */
  readonly out: string;
}

export const HELP = `Usage: npm run bench -- [options]

Compares pgfig with direct connections, PgBouncer, HAProxy and Pgpool-II before one Postgres server, turn by turn.
What is not installed is skipped. Takes about 45 minutes; --quick about 15.

  --only NAMES       only what contains one of these, comma separated: select/simple/8, tpcb, churn, shapes, copy-out,
                     select-rows, latency, micro, idle
  --targets NAMES    ${TARGETS.map((target) => target.name).join(',')}
  --rounds N         rounds of each workload (default 7)
  --seconds N        length of a timed run (default 4)
  --scale N          pgbench's scale (default 10)
  --idle [N]         also measure the memory of N idle clients (default 5000)
  --quick            3 rounds of 2 s
  --smoke            1 round of 1 s of a few workloads, small data: does it work at all?
  --save-baseline    keep the result as baseline.json, which later runs are compared with
  --out DIR          where the results go (default bench/results)
  --help             this text`;

const DEFAULTS = { rounds: 7, seconds: 4, scale: 10, copyMegabytes: 1000, rows: 200_000, latencyStatements: 2000 };
const QUICK = { ...DEFAULTS, rounds: 3, seconds: 2, latencyStatements: 1000 };
const SMOKE = { rounds: 1, seconds: 1, scale: 1, copyMegabytes: 20, rows: 20_000, latencyStatements: 100 };
const SMOKE_ONLY = ['select/simple/8', 'select/prepared/1', 'churn', 'copy-out', 'select-rows', 'latency'];
const IDLE_CLIENTS = '5000';

/**
 * @returns null when the user asked for help
 * @throws UsageError for unknown options, targets and numbers that are none
 */
export function readOptions(args: readonly string[]): BenchOptions | null {
  const values = parse(args);
  if (values.help) return null;
  const size = values.smoke ? SMOKE : values.quick ? QUICK : DEFAULTS;
  const only = list(values.only) ?? (values.smoke ? SMOKE_ONLY : []);
  const targets = list(values.targets) ?? TARGETS.filter((target) => !target.onRequest).map((target) => target.name);
  const unknown = targets.filter((name) => !TARGETS.some((target) => target.name === name));
  if (unknown.length > 0) throw new UsageError(`unknown target ${unknown.join(', ')}\n\n${HELP}`);
  return {
    ...size,
    only,
    targets,
    rounds: positive('rounds', values.rounds, size.rounds),
    seconds: positive('seconds', values.seconds, size.seconds),
    scale: positive('scale', values.scale, size.scale),
    idleClients: positive('idle', values.idle, only.includes('idle') ? Number(IDLE_CLIENTS) : 0),
    warmUp: values.smoke ? 0 : 1,
    micro: !values.smoke || only.includes('micro'),
    saveBaseline: values['save-baseline'],
    out: values.out,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: withIdleCount(args),
      options: {
        only: { type: 'string' },
        targets: { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        scale: { type: 'string' },
        idle: { type: 'string' },
        quick: { type: 'boolean', default: false },
        smoke: { type: 'boolean', default: false },
        'save-baseline': { type: 'boolean', default: false },
        out: { type: 'string', default: 'bench/results' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
  }
}

/** parseArgs knows no option whose value may be left out. */
function withIdleCount(args: readonly string[]): string[] {
  return args.flatMap((arg, i) => (arg === '--idle' && !/^\d+$/.test(args[i + 1] ?? '') ? [arg, IDLE_CLIENTS] : [arg]));
}

const list = (text: string | undefined): string[] | undefined => text?.split(',').filter((part) => part !== '');

function positive(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value <= 0)
    throw new UsageError(`--${name} must be a whole number above 0, not '${text}'`);
  return value;
}

/** Whether a measurement of this name is asked for. */
export const wanted = (options: BenchOptions, name: string): boolean =>
  options.only.length === 0 || options.only.some((part) => name.includes(part));
