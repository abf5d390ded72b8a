import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { AccessLogFile } from '../../config/config.js';

/** Read by its owner and his group: it tells who does what. */
export const FILE_MODE = 0o640;

/** access.jsonl of worker 1: access.1.jsonl */
export function pathOfWorker(file: string, worker: number): string {
  const { dir, name, ext } = path.parse(file);
  return path.join(dir, `${name}.${worker}${ext}`);
}

/**
 * The files that were put aside: access.1.2026-01-05T09-00-00-123Z.jsonl, then .jsonl.gz. They are compressed and
 * removed beside the writing, which must not wait for it: 100 MB take more than a second, and the queue would run over.
 */
export class RotatedFiles {
  readonly #folder: string;
  readonly #base: string;
  readonly #extension: string;
  readonly #maxFiles: number;
  readonly #compress: boolean;
  readonly #failed: (error: unknown) => void;
  #lastTime = 0;
  #again = false;
  #work: Promise<void> | null = null;

  /** @param file `path`: that of the file that is written, with the worker's number */
  constructor(file: Omit<AccessLogFile, 'maxSize'>, failed: (error: unknown) => void) {
    const { dir, name, ext } = path.parse(file.path);
    this.#folder = dir;
    this.#base = name;
    this.#extension = ext;
    this.#maxFiles = file.maxFiles;
    this.#compress = file.compress;
    this.#failed = failed;
  }

  /** The name for a file that is put aside now: never the same twice, and in the order of time. */
  nextName(now = Date.now()): string {
    this.#lastTime = Math.max(now, this.#lastTime + 1);
    const time = new Date(this.#lastTime).toISOString().replace(/[:.]/g, '-');
    return path.join(this.#folder, `${this.#base}.${time}${this.#extension}`);
  }

  /** Compresses what is not yet, and removes the oldest beyond `maxFiles`; one such work at a time. */
  tidy(): Promise<void> {
    this.#again = true;
    this.#work ??= this.#tidyAll().finally(() => {
      this.#work = null;
    });
    return this.#work;
  }

  async #tidyAll(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        await this.#tidyOnce();
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  async #tidyOnce(): Promise<void> {
    const names = (await this.#list()).sort();
    // What is to go need not be compressed first.
    const stay = names.slice(-this.#maxFiles);
    for (const name of names.slice(0, -this.#maxFiles)) await rm(this.#at(name), { force: true });
    if (!this.#compress) return;
    for (const name of stay) if (!name.endsWith('.gz')) await this.#gzip(this.#at(name));
  }

  async #list(): Promise<string[]> {
    const mine: string[] = [];
    for (const name of await readdir(this.#folder)) {
      if (!name.startsWith(`${this.#base}.`)) continue;
      const [, , rest] = /^(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z)(.*)$/.exec(name.slice(this.#base.length + 1)) ?? [];
      if (rest === this.#extension || rest === `${this.#extension}.gz`) mine.push(name);
      // Left half done by a process that has died.
      else if (rest === `${this.#extension}.gz.part`) await rm(this.#at(name), { force: true });
    }
    return mine;
  }

  async #gzip(file: string): Promise<void> {
    const part = `${file}.gz.part`;
    await pipeline(createReadStream(file), createGzip(), createWriteStream(part, { mode: FILE_MODE }));
    await rename(part, `${file}.gz`);
    await rm(file, { force: true });
  }

  #at(name: string): string {
    return path.join(this.#folder, name);
  }
}
