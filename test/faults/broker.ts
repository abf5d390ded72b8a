import { startKafka, type TestKafka } from '../support/kafka.js';

let started: Promise<Broker | null> | null = null;

/** The one broker of a test file, since it starts slowly; each run has a topic of its own. */
export class Broker {
  readonly broker: TestKafka;
  #back: Promise<void> | null = null;

  /** @returns null: none can be had here @throws Error in CI, where one must be had */
  static get(): Promise<Broker | null> {
    started ??= startKafka({ own: true }).then(({ kafka }) => (kafka === null ? null : new Broker(kafka)));
    return started;
  }

  private constructor(broker: TestKafka) {
    this.broker = broker;
  }

  /**
   * Kills it, and starts it again while other things happen.
   * @param ms until then
   * @returns false: it is still coming back from the last time
   */
  async die(ms: number): Promise<boolean> {
    if (this.#back !== null) return false;
    await this.broker.kill();
    this.#back = new Promise((resolve) => setTimeout(resolve, ms))
      .then(() => this.broker.restart())
      .finally(() => {
        this.#back = null;
      });
    this.#back.catch(() => {});
    return true;
  }

  /** Resolves when it runs. @throws Error when it has not started again */
  get back(): Promise<void> {
    return this.#back ?? Promise.resolve();
  }
}
