import type { Writable } from 'node:stream';
import { type Installed, type InstallStep, installMirror } from '../../mirror/capture/install.js';
import { type Removed, removeMirror } from '../../mirror/capture/remove.js';
import type { LockPatience, LockWait } from '../../mirror/capture/short-locks.js';
import { mirrorStatus } from '../../mirror/capture/status.js';
import type { Mirror } from '../../mirror/mirror.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { statusText } from './mirror-text.js';
import { answered, domainNamed, mirrorNamed, relayedMirror } from './named-domain.js';

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
  for (const warning of installed.warnings) streams.progress.write(`warning    ${warning}\n`);
  streams.output.write(options.json ? `${JSON.stringify(installed)}\n` : installedText(mirror, installed));
  return EXIT.done;
}

/** `pgfig mirror remove DOMAIN` @throws as install, but for MIRROR_REFUSED */
export async function remove(name: string, options: MirrorOptions, streams: Streams = STREAMS): Promise<ExitCode> {
  const { config, domain } = domainNamed(name, options);
  const sides = { domain: domain.name, source: config.default, target: domain.database };
  const removed = await answered(() => removeMirror(config, sides, patienceOf(options, streams)));
  streams.output.write(options.json ? `${JSON.stringify(removed)}\n` : removedText(sides, removed));
  if (relayedMirror(domain, config.default) !== null) {
    streams.progress.write(
      `warning    the rule still asks for this mirror: a running pgfig installs it again within a minute, and its tables are to be copied anew. ` +
        `"phase: monolith" or "mirror: { capture: none }" in the rule keeps it away\n`,
    );
  }
  return removed.left === '' ? EXIT.done : EXIT.no;
}

/** `pgfig mirror status DOMAIN` @throws as install, but for MIRROR_REFUSED and MIRROR_BUSY */
export async function status(name: string, options: MirrorOptions, streams: Streams = STREAMS): Promise<ExitCode> {
  const { config, mirror } = mirrorNamed(name, options);
  const found = await answered(() => mirrorStatus(config, mirror));
  streams.output.write(options.json ? `${JSON.stringify(found)}\n` : statusText(mirror, found));
  return found.installed && found.problems.length === 0 ? EXIT.done : EXIT.no;
}

const patienceOf = ({ patience }: MirrorOptions, { progress }: Streams): LockPatience => ({
  ...(patience !== undefined && { budget: patience }),
  onWait: (wait) => progress.write(`${waitText(wait)}\n`),
});

const STEPS: Readonly<Record<InstallStep['kind'], string>> = {
  captured: 'captured  ',
  guarded: 'guarded   ',
  stopped: 'stopped   ',
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
