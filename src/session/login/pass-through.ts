import type { Credentials } from '../../auth/credentials.js';
import { dial } from '../../backend/dial.js';
import type { Link, LinkOwner } from '../../backend/link.js';
import type { DatabaseConfig } from '../../config/config.js';
import type { Channel, ChannelOwner } from '../../net/channel.js';
import { terminate } from '../../wire/frontend-messages.js';

/**
 * A session that is not routed: another dbname of the default server, or a replication connection. Bytes pass as
 * they come, in both directions, with the same backpressure.
 */
export class PassThrough implements ChannelOwner, LinkOwner {
  readonly #channel: Channel;
  readonly #onEnd: (reason: string) => void;
  link: Link | null = null;
  #closed = false;

  constructor(channel: Channel, onEnd: (reason: string) => void) {
    this.#channel = channel;
    this.#onEnd = onEnd;
    channel.setOwner(this);
  }

  /** @throws PgfigError as dial */
  async open(
    database: DatabaseConfig,
    dbname: string,
    credentials: Credentials,
    params: ReadonlyMap<string, string>,
  ): Promise<Link> {
    const link = await dial({ database, dbname, credentials, params, owner: this });
    if (this.#closed) link.close(terminate);
    link.raw = true;
    this.link = link;
    return link;
  }

  onData(chunk: Buffer): void {
    const { link } = this;
    if (link === null) return;
    link.sendBorrowed(chunk, 0, chunk.length);
    if (link.congested) this.#channel.pause();
  }

  onDrain(link?: Link): void {
    if (link === undefined) this.link?.resume();
    else this.#channel.resume();
  }

  onClosed(): void {
    this.close('the client closed the connection');
  }

  toClient(link: Link, chunk: Buffer, start: number, end: number, owned: boolean): void {
    if (owned) {
      this.#channel.writeOwned(chunk.subarray(start, end));
    } else this.#channel.writeBorrowed(chunk, start, end);
    if (this.#channel.congested) link.pause();
  }

  onLost(): void {
    this.close('the server closed the connection');
  }

  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.link?.close(terminate);
    this.#channel.end();
    this.#onEnd(reason);
  }

  // Nothing of a raw link is read.
  onError(): void {}
  onFailed(): void {}
  onSuspended(): void {}
  onReady(_link: Link, status: number): number {
    return status;
  }
  onCommand(): void {}
  onCopyIn(): void {}
  onParameterStatus(): void {}
  onAsync(): void {}
  onDescription(): void {}
  onProgress(): void {}
}
