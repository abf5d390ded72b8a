/** A pause that can be ended early; one at a time. */
export class Sleep {
  #end: (() => void) | null = null;

  /** @param ms how long at most */
  until(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.wake(), ms);
      this.#end = () => {
        clearTimeout(timer);
        this.#end = null;
        resolve();
      };
    });
  }

  wake(): void {
    this.#end?.();
  }
}

/** Resolves when the work is done, or after `deadline` ms; the work itself goes on. @throws what the work throws in time */
export async function atMost(work: Promise<unknown>, deadline: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadline);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
