/**
 * Stable copies of borrowed bytes.
 *
 * A chunk read from a socket lives in a buffer that the next read overwrites, and libuv keeps a pointer
 * into whatever was handed to a write until the kernel has taken all of it. So what is written on must
 * be copied first, before the write, not after a partial one. Copies are cut one behind the other from a
 * block that is never reused: the garbage collector takes it when the last write that points into it is done.
 */
const BLOCK_SIZE = 256 * 1024;
/** A copy above this size gets memory of its own, so that one big one does not throw half a block away. */
const LARGE = BLOCK_SIZE / 8;

let block = Buffer.allocUnsafeSlow(BLOCK_SIZE);
let used = 0;

/** Copies `source[start, end)`; the result belongs to the caller and never changes. */
export function stableCopy(source: Buffer, start: number, end: number): Buffer {
  const length = end - start;
  if (length > LARGE) {
    const own = Buffer.allocUnsafeSlow(length);
    source.copy(own, 0, start, end);
    return own;
  }
  if (used + length > BLOCK_SIZE) {
    block = Buffer.allocUnsafeSlow(BLOCK_SIZE);
    used = 0;
  }
  const copy = block.subarray(used, used + length);
  source.copy(block, used, start, end);
  used += length;
  return copy;
}
