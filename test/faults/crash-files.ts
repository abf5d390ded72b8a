import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CRASH_POINTS, type CrashPoint } from '../../src/mirror/crash-points.js';
import { onTeardown } from '../support/teardown.js';

/** Names the folder of the files to the processes under test. */
export const FOLDER = 'PGFIG_TEST_CRASH_FOLDER';

export interface Arming {
  /** `stop` is SIGSTOP: the process sleeps at the point until somebody sends SIGCONT. */
  readonly action: 'kill' | 'stop';
  /** 1: the next time that any process comes by. */
  readonly nth: number;
}

/** Arms crash points in pgfig's processes while they run. */
export class CrashFiles {
  readonly #folder: string;

  static async create(): Promise<CrashFiles> {
    const files = new CrashFiles(await mkdtemp(path.join(tmpdir(), 'pgfig-crash-')));
    await onTeardown(() => files.remove());
    return files;
  }

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** The environment for a `pgfig serve` whose crash points can be armed; its children inherit it. */
  get env(): Record<string, string> {
    const program = fileURLToPath(new URL('./armed.js', import.meta.url));
    return { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import=${program}`.trim(), [FOLDER]: this.#folder };
  }

  async arm(name: CrashPoint, arming: Partial<Arming> = {}): Promise<void> {
    const file = path.join(this.#folder, name);
    // Whole at once, since the other process may look at any moment.
    await writeFile(`${file}.new`, `${JSON.stringify({ action: 'kill', nth: 1, ...arming })}\n`);
    await rename(`${file}.new`, file);
  }

  /** Whether an armed point has not been passed yet. */
  waiting(name: CrashPoint): boolean {
    return existsSync(path.join(this.#folder, name));
  }

  /** The points that are still armed, with how often they are yet to be passed. */
  left(): string[] {
    return CRASH_POINTS.filter((name) => this.waiting(name)).map(
      (name) => `${name} ${readFileSync(path.join(this.#folder, name), 'utf8').trim()}`,
    );
  }

  async disarm(name: CrashPoint): Promise<void> {
    await rm(path.join(this.#folder, name), { force: true });
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
