/** Where lines of the access log go. Whatever happens there, it neither makes anybody wait nor throws. */
export interface Sink {
  readonly name: 'file' | 'kafka';
  /** Takes no more now: the next line will be dropped. */
  readonly full: boolean;
  /** Lines in memory. */
  readonly waiting: number;
  /** Lines that have arrived. */
  readonly written: number;
  /** Lines that found no place, or that were refused for good. */
  readonly dropped: number;
  /** Tries that have failed. */
  readonly failures: number;
  offer(line: string, service: string): void;
  /** Writes what waits, for `deadline` ms at most; what is left is dropped. */
  close(deadline: number): Promise<void>;
}
