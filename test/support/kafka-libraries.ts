import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DOWNLOAD_DEADLINE_MS = 240_000;
const POLL_MS = 200;

/** Java's class path entries of a Kafka broker, in one folder; or why they cannot be had. */
export type Libraries = { readonly folder: string } | { readonly missing: string };

/**
 * Apache Kafka from Maven Central, fetched once per machine and user, and kept beside the temporary files. Test files
 * that start at once wait for one download.
 */
export async function kafkaLibraries(version: string): Promise<Libraries> {
  const java = await failure('java', ['-version']);
  if (java !== null) return { missing: `no Java (${java})` };
  const cache = path.join(tmpdir(), `pgfig-kafka-${version}-${process.getuid?.() ?? 0}`);
  const folder = path.join(cache, 'libs');
  if (existsSync(folder)) return { folder };
  const maven = await failure('mvn', ['--version']);
  if (maven !== null) return { missing: `no Maven to fetch Apache Kafka ${version} with (${maven})` };
  const unlock = await lock(`${cache}.lock`, () => existsSync(folder));
  try {
    if (existsSync(folder)) return { folder };
    const problem = await fetch(cache, version);
    return problem === null ? { folder } : { missing: `Maven cannot fetch Apache Kafka ${version}: ${problem}` };
  } finally {
    await unlock();
  }
}

async function fetch(cache: string, version: string): Promise<string | null> {
  const making = await mkdtemp(`${cache}.`);
  await writeFile(path.join(making, 'pom.xml'), pom(version));
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
  const args = ['-B', '-q', '-f', making, goal, '-DincludeScope=runtime', '-DoutputDirectory=libs'];
  const problem = await failure('mvn', args, DOWNLOAD_DEADLINE_MS);
  if (problem !== null || !existsSync(path.join(making, 'libs', `kafka_2.13-${version}.jar`))) {
    await rm(making, { recursive: true, force: true });
    return problem ?? 'the library is not among what was fetched';
  }
  await rename(making, cache).catch(() => rm(making, { recursive: true, force: true }));
  return null;
}

const pom = (version: string): string => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>pgfig.test</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version></dependency>
  </dependencies>
</project>
`;

/** Runs a program; null where it went well, else in a line what went wrong. */
async function failure(program: string, args: readonly string[], timeout = 30_000): Promise<string | null> {
  try {
    await run(program, args, { timeout });
    return null;
  } catch (error) {
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout).trim() : '';
    const text = output === '' && error instanceof Error ? error.message : output;
    return text.split('\n')[0] ?? 'unknown reason';
  }
}

/**
 * A lock between processes: a file that holds the pid of its owner. One whose owner is gone is broken; should two break
 * it at once, both work, and the first to be done wins.
 * @param enough ends the waiting: what the lock is for has been done
 */
async function lock(file: string, enough: () => boolean): Promise<() => Promise<void>> {
  await mkdir(path.dirname(file), { recursive: true });
  for (;;) {
    try {
      await writeFile(file, `${process.pid}`, { flag: 'wx' });
      return () => rm(file, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    if (enough()) return async () => {};
    const owner = Number(await readFile(file, 'utf8').catch(() => '0'));
    if (owner > 0 && !alive(owner)) await rm(file, { force: true });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
