import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks per second in /proc/PID/stat; 100 on every Linux that Node runs on (sysconf(_SC_CLK_TCK)). */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

/** CPU time of a process tree, in seconds. */
export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

/** The process and all that descend from it; empty where it is gone or there is no /proc. */
export function processTree(root: number): number[] {
  try {
    const children = readdirSync(`/proc/${root}/task`).flatMap((thread) =>
      readFileSync(`/proc/${root}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
    );
    return [root, ...children.flatMap((child) => processTree(Number(child)))];
  } catch {
    return [];
  }
}

/** User and system time that the tree has used; children that have ended and were waited for count too (proc(5)). */
export function cpuTime(root: number): CpuTime {
  let user = 0;
  let system = 0;
  for (const pid of processTree(root)) {
    const fields = readStat(pid);
    // Fields 14 to 17 of proc(5): utime, stime, cutime, cstime; the list here starts at field 3.
    user += number(fields[11]) + number(fields[13]);
    system += number(fields[12]) + number(fields[14]);
  }
  return { user: user / TICKS_PER_SECOND, system: system / TICKS_PER_SECOND };
}

/** Resident memory of the tree in bytes; memory that processes share is counted for each of them. */
export function residentBytes(root: number): number {
  return processTree(root).reduce((sum, pid) => sum + residentPages(pid) * PAGE_BYTES, 0);
}

/** Samples the tree's resident memory until stopped; a run of seconds needs no finer grain. */
export function watchPeak(root: number, everyMs = 250): () => number {
  let peak = residentBytes(root);
  const timer = setInterval(() => {
    peak = Math.max(peak, residentBytes(root));
  }, everyMs);
  return () => {
    clearInterval(timer);
    return Math.max(peak, residentBytes(root));
  };
}

function residentPages(pid: number): number {
  try {
    return number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  } catch {
    return 0;
  }
}

/** Fields of /proc/PID/stat from the third on: the second is the command's name, and may hold spaces and brackets. */
function readStat(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

const number = (text: string | undefined): number => Number(text ?? 0);
