import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DEBIAN_POSTGRES = '/usr/lib/postgresql';

/** Absolute path of a program, or null. Daemons live in sbin, and Debian keeps pgbench with its server's version. */
export async function findProgram(name: string): Promise<string | null> {
  const versions = await readdir(DEBIAN_POSTGRES).catch(() => []);
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a));
  const folders = [
    ...(process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== ''),
    '/usr/sbin',
    '/usr/local/sbin',
    ...newestFirst.map((version) => path.join(DEBIAN_POSTGRES, version, 'bin')),
  ];
  for (const folder of folders) {
    const file = path.join(folder, name);
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return null;
}

/** The first version number that the program prints, for the report; pgpool prints to stderr. */
export async function versionOf(file: string, flag: string): Promise<string> {
  const { stdout, stderr } = await run(file, [flag]).catch(() => ({ stdout: '', stderr: '' }));
  return /\d+(\.\d+)+/.exec(`${stdout} ${stderr}`)?.[0] ?? 'unknown';
}
