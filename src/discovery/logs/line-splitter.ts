const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Lines of bytes that come in chunks; the line's end is not part of it. */
export class LineSplitter {
  /** Lines handed out. */
  count = 0;
  readonly #onLine: (line: Buffer) => void;
  /** What came before of a line that has not ended. */
  #parts: Buffer[] = [];

  /** @param onLine the bytes are valid until it returns */
  constructor(onLine: (line: Buffer) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#take(chunk.subarray(start, end));
      start = end + 1;
    }
    // Copied: the chunk belongs to who reads the file.
    if (start < chunk.length) this.#parts.push(Buffer.from(chunk.subarray(start)));
  }

  /** A last line without its end counts too. */
  end(): void {
    if (this.#parts.length > 0) this.#take(Buffer.alloc(0));
  }

  #take(last: Buffer): void {
    const line = this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last]);
    this.#parts = [];
    this.count += 1;
    this.#onLine(line[line.length - 1] === RETURN ? line.subarray(0, -1) : line);
  }
}
