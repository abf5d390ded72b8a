/** How long, and with how many bytes, a backend answers: one clock reading for each chunk that comes, and only if asked. */
export class AnswerMeter {
  /** Bytes of the answer last asked about with `took`. */
  bytes = 0;
  /** performance.now() for the chunk at hand; 0: not looked at yet. */
  #now = 0;
  /** When the answer ended that was last asked about. */
  #answeredAt = 0;
  /** With which byte the last answer ended, whoever asked. */
  #answeredTo = 0;

  /** A chunk has come. */
  begin(): void {
    this.#now = 0;
  }

  /** performance.now() when the chunk at hand came. */
  get now(): number {
    if (this.#now === 0) this.#now = performance.now();
    return this.#now;
  }

  /**
   * An answer ends with byte `to` of all that have come.
   * @param since when its request arrived, by performance.now()
   * @returns seconds since then, or since the answer before it where it had to wait for that
   */
  took(since: number, to: number): number {
    const { now } = this;
    const from = Math.max(since, this.#answeredAt);
    this.bytes = to - this.#answeredTo;
    this.#answeredAt = now;
    return now > from ? (now - from) / 1000 : 0;
  }

  /** The same answer is through: what comes next belongs to another one. */
  ended(to: number): void {
    this.#answeredTo = to;
  }
}
