/** Bytes of text that may wait; more is lost, the oldest first. A control process is replaced within seconds. */
const MOST_WAITING = 64 * 1024 * 1024;

/**
 * What workers have counted, on its way through the primary: it waits here while there is no control process. Each text
 * is sent once and never again, so that nothing is counted twice; what a control process had when it died is lost.
 */
export class DeltaQueue {
  readonly #send: (matrix: string) => boolean;
  #waiting: string[] = [];
  #bytes = 0;

  /** @param send whether there was a process to send it to */
  constructor(send: (matrix: string) => boolean) {
    this.#send = send;
  }

  add(matrix: string): void {
    this.#waiting.push(matrix);
    this.#bytes += matrix.length;
    this.flush();
    while (this.#bytes > MOST_WAITING) this.#bytes -= this.#waiting.shift()?.length ?? 0;
  }

  /** Sends what waits, if there is somebody to send it to. */
  flush(): void {
    while (this.#waiting.length > 0 && this.#send(this.#waiting[0] as string)) {
      this.#bytes -= this.#waiting.shift()?.length ?? 0;
    }
  }
}
