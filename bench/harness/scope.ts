/**
 * What was started and must be undone, last first: the benchmark leaves no process, port or folder behind, whether it
 * ends well, fails, or is stopped with Ctrl-C.
 */
export class Scope {
  readonly #undo: (() => Promise<void> | void)[] = [];
  readonly #abort = new AbortController();

  /** Aborted when the scope closes: children that run inside a measurement are spawned with it. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  defer(undo: () => Promise<void> | void): void {
    this.#undo.push(undo);
  }

  /** Undoes everything; a step that fails is reported and does not keep the others from running. */
  async close(): Promise<void> {
    this.#abort.abort();
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) {
      try {
        await undo();
      } catch (error) {
        console.error(`while cleaning up: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}

/** Closes `scope` on SIGINT and SIGTERM and ends the process with the exit code that a shell expects. */
export function closeOnSignals(scope: Scope): void {
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  for (const [signal, code] of Object.entries(codes)) {
    process.once(signal, () => {
      console.error(`\n${signal}: stopping and cleaning up`);
      void scope.close().finally(() => process.exit(code));
    });
  }
}
