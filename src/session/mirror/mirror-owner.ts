import type { Link, LinkOwner } from '../../backend/link.js';
import type { Hidden } from '../../backend/reply-queue.js';
import { decodeCommandTag, decodeErrorFields, type ErrorFields } from '../../wire/decode.js';
import { B } from '../../wire/types.js';

/** What the new database says to one request: all that is looked at. Rows are dropped as they come. */
export class MirrorReply implements Hidden {
  /** Command tag; null: none came. */
  tag: string | null = null;
  error: ErrorFields | null = null;
  /** It waits for copy data. */
  copying = false;

  onMessage(type: number, chunk: Buffer, start: number, end: number): void {
    if (type === B.CommandComplete) this.tag = decodeCommandTag(chunk, start, end);
    else if (type === B.ErrorResponse) this.error ??= decodeErrorFields(chunk, start, end);
    else if (type === B.CopyInResponse) this.copying = true;
  }
}

/**
 * Hears what a mirror's link says. All its requests are pgfig's own, whose replies the link hands to them, so there is
 * nothing for a client here, and no way to one.
 */
export class MirrorOwner implements LinkOwner {
  readonly #wake: () => void;
  readonly #drained: () => void;
  /** The backend's last words. */
  fatal: ErrorFields | null = null;

  /** @param wake something was answered, or the link is lost */
  constructor(wake: () => void, drained: () => void) {
    this.#wake = wake;
    this.#drained = drained;
  }

  onProgress(): void {
    this.#wake();
  }

  onLost(_link: Link, fatal: ErrorFields | null): void {
    this.fatal = fatal;
    this.#wake();
  }

  onDrain(): void {
    this.#drained();
  }

  onReady(): number {
    return 0;
  }

  toClient(): void {}
  onError(): void {}
  onFailed(): void {}
  onCommand(): void {}
  onSuspended(): void {}
  onCopyIn(): void {}
  onParameterStatus(): void {}
  onAsync(): void {}
  onDescription(): void {}
}
