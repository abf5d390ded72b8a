import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Milliseconds that pgsql-ast-parser gets for one text: some take it exponential time, none that it can read takes a tenth of this. */
const PATIENCE = 5000;

/** Asks pgsql-ast-parser in a thread of its own, which is ended when it does not come to an answer. */
export class SecondOpinions {
  #worker: Worker | null = null;

  /** Its tables of one text; null: not accepted; 'no answer': not in time. */
  async ask(sql: string): Promise<readonly string[] | null | 'no answer'> {
    const worker = await this.#ready();
    const impatience = new AbortController();
    const timer = setTimeout(() => impatience.abort(), PATIENCE);
    worker.postMessage(sql);
    try {
      const [answer] = await once(worker, 'message', { signal: impatience.signal });
      return answer as readonly string[] | null;
    } catch (error) {
      await this.close();
      if (impatience.signal.aborted) return 'no answer';
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #ready(): Promise<Worker> {
    if (this.#worker !== null) return this.#worker;
    const worker = new Worker(new URL('./second-opinion-worker.js', import.meta.url));
    this.#worker = worker;
    await once(worker, 'message');
    return worker;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = null;
  }
}
