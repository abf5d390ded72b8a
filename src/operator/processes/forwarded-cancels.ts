import type { FromWorker } from './messages.js';

/** How long a client's cancel connection is kept open for an answer at most. */
const LONGEST_MS = 2_000;

/**
 * Cancel requests that another worker has to deal with. Each is waited for: libpq takes the end of the cancel
 * connection as "it has arrived", and may send its next query then, which the request must not hit.
 */
export class ForwardedCancels {
  readonly #send: (message: FromWorker) => void;
  readonly #waiting = new Map<number, () => void>();
  #ids = 0;

  constructor(send: (message: FromWorker) => void) {
    this.#send = send;
  }

  forward(pid: number, secret: Buffer): Promise<void> {
    const id = ++this.#ids;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.done(id), LONGEST_MS);
      this.#waiting.set(id, () => {
        clearTimeout(timer);
        resolve();
      });
      this.#send({ type: 'cancel', id, pid, secret: secret.toString('base64') });
    });
  }

  done(id: number): void {
    this.#waiting.get(id)?.();
    this.#waiting.delete(id);
  }
}
