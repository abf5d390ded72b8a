/** A worker that does not answer in this time is left out. */
const TIMEOUT_MS = 1_000;

interface Open<T> {
  readonly waiting: Set<number>;
  readonly answers: Map<number, T>;
  readonly done: () => void;
}

/** Questions to several workers at once; each ends when all have answered or are gone, or its time is up. */
export class WorkerAsks<T> {
  readonly #open = new Map<number, Open<T>>();
  #next = 1;

  /** The answers that came, by slot. */
  async ask(slots: readonly number[], send: (slot: number, id: number) => void): Promise<ReadonlyMap<number, T>> {
    const answers = new Map<number, T>();
    if (slots.length === 0) return answers;
    const id = this.#next++;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#open.delete(id);
        resolve();
      };
      const timer = setTimeout(done, TIMEOUT_MS);
      this.#open.set(id, { waiting: new Set(slots), answers, done });
      for (const slot of slots) send(slot, id);
    });
    return answers;
  }

  answer(id: number, slot: number, answer: T): void {
    const open = this.#open.get(id);
    if (open === undefined || !open.waiting.delete(slot)) return;
    open.answers.set(slot, answer);
    if (open.waiting.size === 0) open.done();
  }

  /** Nothing more comes from this worker. */
  gone(slot: number): void {
    for (const open of [...this.#open.values()]) {
      open.waiting.delete(slot);
      if (open.waiting.size === 0) open.done();
    }
  }
}
