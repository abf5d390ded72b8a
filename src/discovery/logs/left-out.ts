import type { LogEntry } from './log-entry.js';

/** Which entries of a log are not of the services under study, and how many statements were left out with them. */
export class LeftOut {
  readonly #dbname: string;
  /** Statements by the database that they were sent to. */
  readonly databases = new Map<string, number>();
  /** Statements that pgfig itself has sent. */
  own = 0;

  /** @param dbname the database that counts, by the name that it has on its server */
  constructor(dbname: string) {
    this.#dbname = dbname;
  }

  /** Whether it is of a process that runs no statements of clients, or tells of one a second time (parallel workers). */
  isNoClient(entry: LogEntry): boolean {
    const { backend } = entry;
    return (backend !== '' && backend !== 'client backend') || entry.session === '' || entry.database === '';
  }

  /** Why an entry of a client does not count; null: it does. */
  reason(entry: LogEntry): 'database' | 'own' | null {
    if (entry.database !== null && entry.database !== this.#dbname) return 'database';
    return entry.application.startsWith('pgfig ') ? 'own' : null;
  }

  count(reason: 'database' | 'own', entry: LogEntry): void {
    if (reason === 'own') this.own += 1;
    else this.databases.set(entry.database ?? '', (this.databases.get(entry.database ?? '') ?? 0) + 1);
  }

  /** Sentences for the reader. */
  notes(): string[] {
    const others = [...this.databases].sort(([a], [b]) => (a < b ? -1 : 1));
    return [
      ...others.map(
        ([database, count]) => `${count} statements were sent to the database ${database} and are left out.`,
      ),
      ...(this.own > 0 ? [`${this.own} statements of pgfig itself are left out.`] : []),
    ];
  }
}
