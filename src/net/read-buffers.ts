/**
 * The memory that plain sockets read into.
 *
 * All quiet sockets of a process share one buffer, so that thousands of idle ones cost nothing: a chunk in
 * it is valid until the callback returns. A socket that fills it whole is streaming, and gets a private
 * buffer, whose chunks may be written on without a copy. After such a write the buffer may be read into again
 * only when the kernel has taken all of it; otherwise it is left to the write that holds it (`retire`), and
 * the socket goes on with another. A stream that has run dry gives its private buffer up.
 */
const SIZE = 64 * 1024;
/** Short reads in a row after which a stream counts as over. */
const QUIET_READS = 4;

const shared = Buffer.allocUnsafeSlow(SIZE);

export class ReadBuffers {
  #own: Buffer | null = null;
  #streaming = false;
  #quiet = 0;
  /** Whether the read under way goes into a private buffer. */
  #readingOwn = false;

  /** The buffer for the next read. */
  next(): Buffer {
    if (!this.#streaming) {
      this.#readingOwn = false;
      return shared;
    }
    this.#own ??= Buffer.allocUnsafeSlow(SIZE);
    this.#readingOwn = true;
    return this.#own;
  }

  /** Notes a read of `length` bytes; true when it lies in a private buffer. */
  took(length: number): boolean {
    const own = this.#readingOwn;
    if (length === SIZE) {
      this.#streaming = true;
      this.#quiet = 0;
    } else if (this.#streaming && length < SIZE / 4 && ++this.#quiet >= QUIET_READS) {
      this.#streaming = false;
      this.#quiet = 0;
      this.#own = null;
    }
    return own;
  }

  /** The private buffer is still being sent: leave it to that write. */
  retire(): void {
    this.#own = null;
  }
}
