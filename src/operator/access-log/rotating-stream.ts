import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { createStream } from 'rotating-file-stream';
import { FILE_MODE, type RotatedFiles } from './rotated-files.js';

/**
 * A stream to the end of a file, which puts it aside when it has reached `maxSize` bytes and begins a new one. Folders
 * that are missing are made.
 * @param path absolute
 */
export async function openRotating(path: string, maxSize: number, rotated: RotatedFiles): Promise<Writable> {
  const half = await endsMidLine(path);
  const stream = createStream((time) => (time === null ? path : rotated.nextName()), {
    size: `${maxSize}B`,
    mode: FILE_MODE,
  });
  // What an earlier process has left is tidied up too.
  stream.once('open', () => void rotated.tidy());
  stream.on('rotated', () => void rotated.tidy());
  if (half) stream.write('\n');
  return stream;
}

/** A process that was killed, or a disk that was full, leaves half a line, which must not become part of the next. */
async function endsMidLine(path: string): Promise<boolean> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch {
    // Not there yet; whatever else it is, writing to it will say so.
    return false;
  }
  try {
    const { size } = await file.stat();
    if (size === 0) return false;
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] !== 0x0a;
  } finally {
    await file.close();
  }
}
