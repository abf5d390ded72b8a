import type { Footprint } from './footprint.js';

/** What a tally counts for. */
export interface TallyKey {
  readonly service: string;
  readonly footprint: Footprint;
  /** The database that it goes to; '' where it is refused. */
  readonly database: string;
  /** The statement without its literals. */
  readonly example: string;
}

/**
 * Counts one statement of one service on its way to one database, until the next harvest. Whoever runs statements keeps
 * it at hand, so that counting is an addition.
 */
export class Tally implements TallyKey {
  readonly service: string;
  readonly footprint: Footprint;
  readonly database: string;
  readonly example: string;
  statements = 0;
  errors = 0;
  refused = 0;
  rows = 0;
  /** Microseconds: whole numbers take less room. */
  micros = 0;
  /** Milliseconds since 1970, where the source knows better than "since the last harvest"; else 0. */
  first = 0;
  last = 0;
  /** In the book's list of those to be harvested. */
  dirty = false;

  constructor({ service, footprint, database, example }: TallyKey) {
    this.service = service;
    this.footprint = footprint;
    this.database = database;
    this.example = example;
  }

  /** Rows are written with it. */
  get writes(): boolean {
    return this.footprint.written.length > 0;
  }

  reset(): void {
    this.statements = 0;
    this.errors = 0;
    this.refused = 0;
    this.rows = 0;
    this.micros = 0;
    this.first = 0;
    this.last = 0;
    this.dirty = false;
  }
}
