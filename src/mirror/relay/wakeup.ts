/** Lets one loop wait until somebody has something for it, or a time has passed. */
export class Wakeup {
  #wake: (() => void) | null = null;
  #called = false;

  /** Ends the wait; where nobody waits, the next wait ends at once. */
  call(): void {
    this.#called = true;
    this.#wake?.();
  }

  /** @param most milliseconds @returns whether somebody has called */
  async wait(most: number): Promise<boolean> {
    if (!this.#called) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, most);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = null;
    }
    const called = this.#called;
    this.#called = false;
    return called;
  }
}
