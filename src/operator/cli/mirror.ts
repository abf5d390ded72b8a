import type { Writable } from 'node:stream';
import type { Config } from '../../config/config.js';
import { loadConfig } from '../../config/load.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { type Installed, type InstallStep, installMirror } from '../../mirror/capture/install.js';
import { type Removed, removeMirror } from '../../mirror/capture/remove.js';
import type { LockPatience, LockWait } from '../../mirror/capture/short-locks.js';
import { mirrorStatus } from '../../mirror/capture/status.js';
import { type Mirror, mirrorOf } from '../../mirror/mirror.js';
import { loadRules } from '../../rules/load.js';
import type { Domain } from '../../rules/rule-set.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { statusText } from './mirror-text.js';

export interface MirrorOptions {
  readonly config: string;
  readonly json?: boolean;
  /** Milliseconds that a table's lock is tried for. */
  readonly patience?: number;
}

interface Streams {
  readonly output: Writable;
  /** What happens on the way. */
  readonly progress: Writable;
}

const STREAMS: Streams = { output: process.stdout, progress: process.stderr };

/**
 * `pgfig mirror install DOMAIN`
 * @throws PgfigError MIRROR_REFUSED, MIRROR_BUSY, NAME_UNKNOWN, CONFIG_INVALID, RULES_INVALID, BACKEND_UNREACHABLE,
 *   BACKEND_ANSWERED
 */
export async function install(name: string, options: MirrorOptions, streams: Streams = STREAMS): Promise<ExitCode> {
  const { config, mirror } = mirrorNamed(name, options);
  const onStep = (step: InstallStep): void => void streams.progress.write(`${stepText(step)}\n`);
  const given = { ...patienceOf(options, streams), onStep };
  const installed = await answered(() => installMirror(config, mirror, given));
  streams.output.write(options.json ? `${JSON.stringify(installed)}\n` : installedText(mirror, installed));
  return EXIT.done;
}

/** `pgfig mirror remove DOMAIN` @throws as install, but for MIRROR_REFUSED */
export async function remove(name: string, options: MirrorOptions, streams: Streams = STREAMS): Promise<ExitCode> {
  const { config, domain } = domainNamed(name, options);
  const sides = { domain: domain.name, source: config.default, target: domain.database };
  const removed = await answered(() => removeMirror(config, sides, patienceOf(options, streams)));
  streams.output.write(options.json ? `${JSON.stringify(removed)}\n` : removedText(sides, removed));
  return removed.left === '' ? EXIT.done : EXIT.no;
}

/** `pgfig mirror status DOMAIN` @throws as install, but for MIRROR_REFUSED and MIRROR_BUSY */
export async function status(name: string, options: MirrorOptions, streams: Streams = STREAMS): Promise<ExitCode> {
  const { config, mirror } = mirrorNamed(name, options);
  const found = await answered(() => mirrorStatus(config, mirror));
  streams.output.write(options.json ? `${JSON.stringify(found)}\n` : statusText(mirror, found));
  return found.installed && found.problems.length === 0 ? EXIT.done : EXIT.no;
}

function domainNamed(name: string, options: MirrorOptions): { readonly config: Config; readonly domain: Domain } {
  const config = loadConfig(options.config);
  const context = { databases: config.databases.keys(), default: config.default, version: 1 };
  const { domains } = loadRules(config.rules, context);
  const domain = domains.find((one) => one.name === name);
  if (domain !== undefined) return { config, domain };
  const known = domains.map((one) => one.name).join(', ');
  throw new PgfigError('NAME_UNKNOWN', `no rule is for a domain ${JSON.stringify(name)}`, {
    hint: known === '' ? `The folder ${config.rules} holds no rules.` : `There are: ${known}.`,
  });
}

function mirrorNamed(name: string, options: MirrorOptions): { readonly config: Config; readonly mirror: Mirror } {
  const { config, domain } = domainNamed(name, options);
  const mirror = mirrorOf(domain, config.default);
  if (mirror !== null) return { config, mirror };
  throw new PgfigError('MIRROR_REFUSED', `domain ${name} is in phase ${domain.phase}, in which nothing is mirrored`, {
    hint: 'Set phase: dual-write in its rule.',
  });
}

const patienceOf = ({ patience }: MirrorOptions, { progress }: Streams): LockPatience => ({
  ...(patience !== undefined && { budget: patience }),
  onWait: (wait) => progress.write(`${waitText(wait)}\n`),
});

/** What the driver throws, as an error of pgfig's: the server's own, or that it does not answer. */
async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof PgfigError) throw cause;
    const sqlstate = 'code' in cause ? String(cause.code) : '';
    if (/^[0-9A-Z]{5}$/.test(sqlstate) && !/^(08|57P|28|3D)/.test(sqlstate)) {
      throw new PgfigError('BACKEND_ANSWERED', `a database refuses: ${cause.message}`, { cause, sqlstate });
    }
    throw new PgfigError('BACKEND_UNREACHABLE', `a database cannot be reached: ${cause.message}`, { cause });
  }
}

const STEPS: Readonly<Record<InstallStep['kind'], string>> = {
  captured: 'captured  ',
  guarded: 'guarded   ',
  released: 'released  ',
  stalled: 'stalled   ',
};

const stepText = ({ kind, table, reason }: InstallStep): string =>
  `${STEPS[kind]} ${table}${reason === undefined ? '' : `: ${reason}`}`;

const waitText = ({ what, attempt, waited, holders }: LockWait): string =>
  `waiting    ${what}: try ${attempt}, ${Math.round(waited / 1_000)} s${holders.length === 0 ? '' : `, held by ${holders.join(', ')}`}`;

function installedText({ domain, source, target }: Mirror, { changed, replica }: Installed): string {
  const what = changed.length === 0 ? 'nothing was to be done' : `${changed.length} tables made or mended`;
  const quiet = replica ? '' : `session_replication_role may not be set in ${target}, and is not needed\n`;
  return `domain ${domain}: captured in ${source}, guarded in ${target}: ${what}\n${quiet}`;
}

function removedText({ domain }: { readonly domain: string }, { released, left }: Removed): string {
  const done = `domain ${domain}: ${released.length} tables released\n`;
  return left === '' ? done : `${done}${left}\n`;
}
