import { type Chunk, ChunkPlan, type ChunkSize, inSample } from './chunk-plan.js';
import { type Sums, sameSums, sumsWithout, type TableSide } from './chunk-sql.js';
import type { Divergence } from './divergence.js';
import type { KeyRange } from './key-sql.js';
import { pairRows, type TablePair } from './pair-rows.js';
import { both } from './raw-rows.js';
import type { VerifyOptions, VerifyState } from './verify-state.js';

/** What differs is looked at row by row below this number. */
const LEAF_ROWS = 500;
/** Chunks that are summed at a time, so that neither side waits for the other's last one. */
const FLYING = 2;

export interface WalkSizes {
  readonly rows: ChunkSize;
  readonly keys: ChunkSize;
}

type BothSums = readonly [source: Sums, target: Sums];

interface Flying extends Chunk {
  /** null: it is not in the sample. */
  readonly sums: Promise<BothSums> | null;
}

/** One step through a table, at one moment: from where the state says, until its time is over. */
export class TableWalk {
  readonly found: Divergence[] = [];
  readonly #pair: TablePair & { readonly ordered: boolean };
  readonly #options: VerifyOptions;
  readonly #sizes: WalkSizes;
  #state: VerifyState;
  #deadline = 0;

  /** @param pair `ordered`: keys have the same order on both sides */
  constructor(
    pair: TablePair & { readonly ordered: boolean },
    options: VerifyOptions,
    sizes: WalkSizes,
    state: VerifyState,
  ) {
    this.#pair = pair;
    this.#options = options;
    this.#sizes = sizes;
    this.#state = state;
  }

  get state(): VerifyState {
    return this.#state;
  }

  /** @throws what the driver throws; nothing then runs on either connection any more */
  async until(deadline: number): Promise<void> {
    this.#deadline = deadline;
    do {
      if (this.#state.pass === 'rows') await this.#rows();
      else if (this.#state.pass === 'extras') await this.#extras();
    } while (this.#state.pass !== 'done' && !this.#late());
  }

  #late(): boolean {
    return performance.now() >= this.#deadline;
  }

  #plan(side: TableSide, size: ChunkSize): ChunkPlan {
    size.restart();
    const { sample, seed } = this.#options;
    return new ChunkPlan(side, this.#state.after, this.#state.chunks, {
      size: () => size.rows,
      more: () => !this.#late(),
      taken: (chunk) => inSample(sample, seed, this.#pair.table, chunk),
    });
  }

  /** Chunks whose sums are equal, up to one that differs, which is then searched. */
  async #rows(): Promise<void> {
    const size = this.#pair.ordered ? this.#sizes.rows : this.#sizes.keys;
    const plan = this.#plan(this.#pair.source, size);
    const flying: Flying[] = [];
    let differing: { range: KeyRange; sums: BothSums } | null = null;
    try {
      while (differing === null) {
        await this.#launch(plan, flying);
        const chunk = flying.shift();
        if (chunk === undefined) return;
        const sums = await chunk.sums;
        if (sums !== null) size.done(sums[0].rows);
        if (sums === null) this.#advance(chunk.range, { chunks: 1, skipped: chunk.rows });
        else if (sameSums(...sums)) this.#advance(chunk.range, { chunks: 1, rows: sums[0].rows });
        else differing = { range: chunk.range, sums };
      }
    } finally {
      await plan.settle();
      await Promise.allSettled(flying.map(({ sums }) => sums));
    }
    await this.#search(differing.range, differing.sums);
  }

  async #launch(plan: ChunkPlan, flying: Flying[]): Promise<void> {
    while (flying.length < FLYING) {
      const chunk = await plan.next();
      if (chunk === null) return;
      const sums = chunk.taken ? this.#sums(chunk.range) : null;
      // Heard of where it is awaited.
      sums?.catch(() => {});
      flying.push({ ...chunk, sums });
    }
  }

  async #sums(range: KeyRange): Promise<BothSums> {
    const { source, target, ordered } = this.#pair;
    if (ordered) return both(source.sums(range), target.sums(range));
    const here = await source.sumsAndKeys(range);
    return [here, await target.sumsOfKeys(here.keys)];
  }

  /** Halves the range, as often as it takes to see the rows that differ, the lower half first. */
  async #search(whole: KeyRange, wholeSums: BothSums): Promise<void> {
    const stack = [{ range: whole, sums: wholeSums }];
    for (let part = stack.pop(); part !== undefined; part = stack.pop()) {
      const { range, sums } = part;
      const [here, there] = sums;
      const chunks = range.upTo === whole.upTo ? 1 : 0;
      if (sameSums(here, there)) this.#advance(range, { chunks, rows: here.rows });
      else if (Math.max(here.rows, there.rows) <= LEAF_ROWS) {
        const found = await this.#leaf(range);
        this.found.push(...found);
        this.#advance(range, { chunks, rows: here.rows, found: found.length });
        if (this.#state.pass !== 'rows' || this.#late()) return;
      } else {
        const first = await this.#firstHalf(range, sums);
        const firstSums = await this.#sums(first);
        const rest: BothSums = [sumsWithout(here, firstSums[0]), sumsWithout(there, firstSums[1])];
        stack.push({ range: { after: first.upTo, upTo: range.upTo }, sums: rest }, { range: first, sums: firstSums });
      }
    }
  }

  async #firstHalf(range: KeyRange, [here, there]: BothSums): Promise<KeyRange> {
    const { source, target } = this.#pair;
    const side = here.rows >= there.rows ? source : target;
    return { after: range.after, upTo: await side.bound(range, Math.ceil(Math.max(here.rows, there.rows) / 2)) };
  }

  async #leaf(range: KeyRange): Promise<Divergence[]> {
    const { source, target, ordered } = this.#pair;
    if (!ordered) return pairRows(this.#pair, await source.rows(range), null);
    return pairRows(this.#pair, ...(await both(source.rows(range), target.rows(range))));
  }

  /** Keys of the target that the source has no row for. */
  async #extras(): Promise<void> {
    const { source, target, table } = this.#pair;
    const plan = this.#plan(target, this.#sizes.keys);
    try {
      for (let chunk = await plan.next(); chunk !== null; chunk = await plan.next()) {
        const keys = chunk.taken ? await source.absent(await target.keys(chunk.range)) : [];
        this.found.push(...keys.map((key) => ({ table, key, kind: 'extra' as const, columns: [] })));
        this.#sizes.keys.done(chunk.rows);
        this.#advance(chunk.range, { chunks: 1, found: keys.length });
        if (this.#state.pass === 'done') return;
      }
    } finally {
      await plan.settle();
    }
  }

  /** Everything up to the end of the range is done with. */
  #advance({ upTo }: KeyRange, more: Partial<Record<'chunks' | 'rows' | 'skipped' | 'found', number>>): void {
    const { pass, chunks, rows, skipped, found } = this.#state;
    const added = {
      chunks: chunks + (more.chunks ?? 0),
      rows: rows + (more.rows ?? 0),
      skipped: skipped + (more.skipped ?? 0),
      found: found + (more.found ?? 0),
    };
    const next = pass === 'rows' && !this.#pair.ordered ? 'extras' : 'done';
    if (added.found >= this.#options.most) this.#state = { ...added, pass: 'done', after: null };
    else if (upTo === null) this.#state = { ...added, chunks: 0, pass: next, after: null };
    else this.#state = { ...added, pass, after: upTo };
  }
}
