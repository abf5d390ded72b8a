import { EventEmitter } from 'node:events';

interface Answer {
  readonly command: string;
  readonly rowCount: number;
  readonly rows: readonly Record<string, unknown>[];
  readonly fields: readonly { readonly name: string }[];
}

type Callback = (error: Error | null, answer?: unknown, done?: () => void) => void;

/**
 * Stands in for the module `pg`: takes every statement that a library would send, and answers each as an empty
 * database would. What the library sends is real; no server is asked.
 */
export class Recorder {
  readonly statements: string[] = [];
  /** Rows for statements that match, the first that does. */
  readonly #answers: [RegExp, Record<string, unknown>[]][];

  constructor(answers: readonly [RegExp, Record<string, unknown>[]][] = []) {
    this.#answers = [
      ...answers,
      [/^SHOW SERVER_VERSION/i, [{ server_version: '17.2' }]],
      [/^SELECT version\(\)/i, [{ version: 'PostgreSQL 17.2' }]],
      [/current_database\(\)/i, [{ current_database: 'shop' }]],
      [/current_schema\(\)/i, [{ current_schema: 'public' }]],
      [/^select version/i, [{ version: 'PostgreSQL 17.2 on x86_64' }]],
    ];
  }

  /** To be given where a library wants `require('pg')`. */
  module(): Record<string, unknown> {
    const take = (text: string): Answer => this.#take(text);
    class Client extends EventEmitter {
      _connected = true;
      processID = 1;
      connection = new EventEmitter();
      connect(callback?: Callback): Promise<this> {
        callback?.(null, this, () => undefined);
        return Promise.resolve(this);
      }
      query(query: string | { text: string }, values?: unknown, callback?: Callback): unknown {
        const answer = take(typeof query === 'string' ? query : query.text);
        const done = typeof values === 'function' ? (values as Callback) : callback;
        if (done === undefined) return Promise.resolve(answer);
        queueMicrotask(() => done(null, answer));
        return undefined;
      }
      release(): void {}
      end(callback?: Callback): Promise<void> {
        callback?.(null);
        return Promise.resolve();
      }
    }
    class Pool extends Client {
      override connect(callback?: Callback): Promise<this> {
        const client = new Client();
        callback?.(null, client, () => undefined);
        return Promise.resolve(client as this);
      }
    }
    const types = { builtins: {}, setTypeParser: () => undefined, getTypeParser: () => (text: string) => text };
    return { Client, Pool, types, defaults: {} };
  }

  pool(): unknown {
    const { Pool } = this.module() as { Pool: new () => unknown };
    return new Pool();
  }

  #take(text: string): Answer {
    this.statements.push(text);
    const rows = this.#answers.find(([pattern]) => pattern.test(text))?.[1] ?? [];
    const command = /^\W*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? '';
    return { command, rowCount: rows.length, rows, fields: Object.keys(rows[0] ?? {}).map((name) => ({ name })) };
  }
}
