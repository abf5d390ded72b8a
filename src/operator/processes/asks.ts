const TIMEOUT_MS = 3_000;

/** Questions by message: each has a number, and an answer or an end to the waiting. */
export class Asks<T, Q = void> {
  readonly #send: (id: number, question: Q) => void;
  readonly #timeout: number;
  readonly #open = new Map<number, (answer: T) => void>();
  #next = 1;

  constructor(send: (id: number, question: Q) => void, timeout = TIMEOUT_MS) {
    this.#send = send;
    this.#timeout = timeout;
  }

  /** @throws Error when there is no answer in time */
  ask(question: Q): Promise<T> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#open.delete(id);
        reject(new Error('the primary process does not answer'));
      }, this.#timeout);
      this.#open.set(id, (answer) => {
        clearTimeout(timer);
        this.#open.delete(id);
        resolve(answer);
      });
      this.#send(id, question);
    });
  }

  answer(id: number, answer: T): void {
    this.#open.get(id)?.(answer);
  }
}
