/** Lets one loop wait until somebody has something for it, or a time has passed. */
export class Wakeup {
  #wake: (() => void) | null = null;
  #called = false;

  /** Ends the wait; where nobody waits, the next wait ends at once. */
  call(): void {
    this.#called = true;
    this.#wake?.();
  }

  /** @param most milliseconds */
  async wait(most: number): Promise<void> {
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
    this.#called = false;
  }
}
