import { open, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { PgfigError } from '../../errors/pgfig-error.js';

/** Large enough that a read is little work, small enough to stay in the processor's cache. */
const CHUNK = 256 * 1024;
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/**
 * The bytes of a log file, unpacked where it begins as gzip does. '-' is stdin.
 *
 * @returns chunks, each valid until the next is asked for
 * @param onBytes told how many bytes of the file itself were read
 * @throws PgfigError FILE_UNREADABLE
 */
export async function* openLog(
  file: string,
  onBytes: (count: number) => void = () => undefined,
  stdin: Readable = process.stdin,
): AsyncGenerator<Buffer> {
  try {
    yield* unpacked(counted(file === '-' ? stdin : chunksOf(file), onBytes));
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

/** Bytes of all files together; null where that is not known (stdin). @throws PgfigError FILE_UNREADABLE */
export async function sizeOf(files: readonly string[]): Promise<number | null> {
  let sum = 0;
  for (const file of files) {
    if (file === '-') return null;
    const found = await stat(file).catch((cause: unknown) => {
      throw unreadable(file, cause);
    });
    if (found.isDirectory()) {
      throw new PgfigError('FILE_UNREADABLE', `${file} is a folder`, { hint: `Give its files: ${file}/*.csv` });
    }
    sum += found.size;
  }
  return sum;
}

/** One buffer for the whole file: a new one for each chunk is work for the garbage collector. */
async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  const handle = await open(file);
  try {
    const buffer = Buffer.allocUnsafeSlow(CHUNK);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function* counted(
  source: AsyncIterable<Buffer | string>,
  onBytes: (count: number) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    onBytes(bytes.length);
    yield bytes;
  }
}

async function* unpacked(chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let first = Buffer.alloc(0);
  while (first.length < GZIP_MAGIC.length) {
    const next = await chunks.next();
    if (next.done === true) break;
    first = Buffer.concat([first, next.value]);
  }
  if (!first.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC)) {
    if (first.length > 0) yield first;
    yield* chunks;
    return;
  }
  const gunzip = createGunzip({ chunkSize: CHUNK });
  // What goes wrong on the way in is thrown by reading what comes out.
  feed(gunzip, first, chunks).catch((error: unknown) => gunzip.destroy(error instanceof Error ? error : undefined));
  for await (const chunk of gunzip) yield chunk;
}

async function feed(
  gunzip: ReturnType<typeof createGunzip>,
  first: Buffer,
  rest: AsyncGenerator<Buffer>,
): Promise<void> {
  const write = (chunk: Buffer): Promise<void> =>
    new Promise((resolve, reject) => gunzip.write(chunk, (error) => (error ? reject(error) : resolve())));
  await write(first);
  for await (const chunk of rest) await write(chunk);
  gunzip.end();
}

function unreadable(file: string, cause: unknown): PgfigError {
  const name = file === '-' ? 'stdin' : file;
  if (cause instanceof PgfigError) {
    return new PgfigError(cause.code, `${name}: ${cause.message}`, {
      ...(cause.hint !== undefined && { hint: cause.hint }),
      cause,
    });
  }
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  const damaged = code.startsWith('Z_');
  return new PgfigError('FILE_UNREADABLE', `${name} cannot be read (${code})`, {
    hint: damaged
      ? 'The gzip file is damaged or was cut; unpack it as far as it goes (zcat).'
      : 'Look at its path and who may read it.',
    cause,
  });
}
