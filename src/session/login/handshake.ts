import type net from 'node:net';
import type tls from 'node:tls';
import type { Credentials } from '../../auth/credentials.js';
import { ServerAuth } from '../../auth/server-auth.js';
import { PgfigError } from '../../errors/pgfig-error.js';
import { Channel, type ChannelOwner } from '../../net/channel.js';
import { certificateName } from '../../net/client-tls.js';
import { errorFrom, negotiateProtocolVersion } from '../../wire/backend-messages.js';
import { FrameReader } from '../../wire/framer.js';
import { checkStartupLength, parseStartup, type StartupPacket } from '../../wire/startup.js';
import { ENCRYPTION_REFUSED, NEWEST_MINOR, SSL_ACCEPTED } from '../../wire/types.js';
import type { Gate } from './gate.js';

type Startup = Extract<StartupPacket, { type: 'startup' }>;

/** First byte of a TLS handshake: a client that begins with it speaks TLS at once (sslnegotiation=direct). */
const TLS_HANDSHAKE = 0x16;
const REFUSED = Buffer.from([ENCRYPTION_REFUSED]);
const ACCEPTED = Buffer.from([SSL_ACCEPTED]);

/**
 * A client from its first byte until it may have a session: encryption, startup packet, login
 * (PostgreSQL documentation, 55.2.1, 55.2.9 to 55.2.11). Bounded in time and bytes; everything that is wrong is
 * answered in Postgres's words and closes the connection.
 */
export class Handshake implements ChannelOwner {
  readonly #gate: Gate;
  readonly #peer: string;
  #channel: Channel;
  #secure: tls.TLSSocket | null = null;
  /** The socket whose TLS handshake is under way. */
  #upgrading: net.Socket | null = null;
  #pending: Buffer = Buffer.alloc(0);
  #startup: Startup | null = null;
  #auth: ServerAuth | null = null;
  readonly #asked = new Set<'ssl' | 'gss'>();
  #frames = new FrameReader();
  #working = false;
  #over = false;
  readonly #timer: NodeJS.Timeout;

  constructor(gate: Gate, socket: net.Socket) {
    this.#gate = gate;
    this.#peer = `${socket.remoteAddress ?? 'local'}:${socket.remotePort ?? 0}`;
    this.#timer = setTimeout(
      () => this.#fail(new PgfigError('AUTH_TIMEOUT', 'canceling authentication due to timeout')),
      gate.authTimeout,
    );
    this.#channel = Channel.adopt(socket, this);
  }

  onData(chunk: Buffer): void {
    if (this.#over) return;
    // Login bytes are few: a copy keeps the shared read buffer free.
    this.#pending = Buffer.concat([this.#pending, chunk]);
    if (!this.#working) this.#advance();
  }

  onDrain(): void {}

  onClosed(): void {
    this.#end();
  }

  /** Ends the attempt with an error. */
  refuse(error: PgfigError): void {
    this.#fail(error);
  }

  #advance(): void {
    try {
      if (this.#auth === null) this.#readStartup();
      else this.#readAuth();
    } catch (error) {
      this.#fail(error);
    }
  }

  #readStartup(): void {
    while (!this.#over && this.#startup === null && this.#pending.length > 0) {
      if (this.#pending[0] === TLS_HANDSHAKE && this.#secure === null) return this.#directTls();
      if (this.#pending.length < 4) return;
      const length = this.#pending.readInt32BE(0);
      checkStartupLength(length);
      if (this.#pending.length < length) return;
      const packet = parseStartup(this.#pending.subarray(0, length));
      this.#pending = this.#pending.subarray(length);
      this.#take(packet);
    }
  }

  #take(packet: StartupPacket): void {
    switch (packet.type) {
      case 'gss':
        this.#onlyOnce('gss', 'GSSAPI encryption');
        this.#channel.writeOwned(REFUSED);
        return;
      case 'ssl':
        return this.#answerSsl();
      case 'cancel':
        return this.#cancel(packet.pid, packet.secret);
      case 'startup':
        this.#startup = packet;
        this.#beginLogin(packet).catch((error: unknown) => this.#fail(error));
        return;
    }
  }

  /** The connection stays open until the request has arrived where it belongs: its end tells the client so. */
  #cancel(pid: number, secret: Buffer): void {
    this.#working = true;
    this.#end();
    const close = (): void => this.#channel.end();
    this.#gate.cancelAnywhere(pid, secret).then(close, close);
  }

  #answerSsl(): void {
    const { tls: clientTls } = this.#gate;
    this.#onlyOnce('ssl', 'SSL');
    if (clientTls === null || clientTls.mode === 'disable' || this.#secure !== null) {
      this.#channel.writeOwned(REFUSED);
      return;
    }
    this.#channel.writeOwned(ACCEPTED);
    this.#encrypt(null);
  }

  /**
   * Each kind of encryption may be asked for once, and alone: bytes behind the request would be read as if they had
   * come encrypted (CVE-2021-23214).
   */
  #onlyOnce(kind: 'ssl' | 'gss', name: string): void {
    if (this.#asked.has(kind)) {
      const code = kind === 'ssl' ? '1234.5679' : '1234.5680';
      throw new PgfigError(
        'UNSUPPORTED_PROTOCOL',
        `unsupported frontend protocol ${code}: server supports 3.0 to 3.${NEWEST_MINOR}`,
      );
    }
    this.#asked.add(kind);
    if (this.#pending.length === 0) return;
    throw new PgfigError('PROTOCOL_VIOLATION', `received unencrypted data after ${name} request`, {
      detail: 'This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.',
    });
  }

  #directTls(): void {
    const { tls: clientTls } = this.#gate;
    if (clientTls === null || clientTls.mode === 'disable') {
      throw new PgfigError('PROTOCOL_VIOLATION', 'invalid length of startup packet');
    }
    const head = this.#pending;
    this.#pending = Buffer.alloc(0);
    this.#encrypt(head);
  }

  #encrypt(head: Buffer | null): void {
    const { tls: clientTls } = this.#gate;
    if (clientTls === null) return;
    const plain = this.#channel.detach();
    this.#upgrading = plain;
    clientTls.upgrade(plain, head, (secure) => {
      this.#upgrading = null;
      // Without ALPN another protocol's server could be spoken to (PostgreSQL documentation, 55.2.10).
      if (this.#over || (head !== null && secure.alpnProtocol !== 'postgresql')) {
        secure.destroy();
        return this.#end();
      }
      this.#secure = secure;
      this.#channel = Channel.overStream(secure, this);
    });
    plain.once('close', () => {
      if (this.#upgrading !== null) this.#end();
    });
  }

  async #beginLogin(packet: Startup): Promise<void> {
    const user = packet.params.get('user') ?? '';
    this.#working = true;
    const { tls: clientTls } = this.#gate;
    if (clientTls !== null && this.#secure === null && clientTls.mode !== 'disable' && clientTls.mode !== 'allow') {
      throw new PgfigError('TLS_REQUIRED', 'this server accepts encrypted connections only');
    }
    if (packet.minor > NEWEST_MINOR || packet.options.length > 0) {
      this.#channel.writeOwned(negotiateProtocolVersion(Math.min(packet.minor, NEWEST_MINOR), packet.options));
    }
    const name = this.#secure === null ? null : certificateName(this.#secure);
    if (clientTls?.mode === 'verify-full' && name !== user) {
      throw new PgfigError('AUTH_NOT_ALLOWED', `the client certificate is not that of user "${user}"`);
    }
    this.#gate.admit(user, packet.params.get('database') ?? user);
    const verifier = await this.#gate.verifierOf(user);
    if (this.#over) return;
    const auth = new ServerAuth({
      method: this.#gate.authMethod,
      user,
      verifier,
      certificateName: name,
      mockKey: this.#gate.authKey,
    });
    this.#auth = auth;
    this.#step(auth.start());
    this.#working = false;
    if (!this.#over) this.#readAuth();
  }

  #step(step: { readonly send: Buffer[]; readonly done: Credentials | null }): void {
    if (this.#over) return;
    if (step.send.length > 0) this.#channel.writeOwned(Buffer.concat(step.send));
    if (step.done !== null) this.#admitted(step.done);
  }

  #readAuth(): void {
    const auth = this.#auth;
    if (auth === null || this.#pending.length === 0) return;
    const bytes = this.#pending;
    this.#pending = Buffer.alloc(0);
    for (const { type, body } of this.#frames.push(bytes)) {
      const step = auth.onMessage(type, body);
      if (!(step instanceof Promise)) {
        this.#step(step);
        if (this.#over) return;
        continue;
      }
      // One message at a time: what follows waits in the frame reader until this one is judged.
      this.#working = true;
      this.#pending = this.#frames.rest();
      step.then(
        (done) => {
          this.#working = false;
          this.#step(done);
          if (!this.#over) this.#advance();
        },
        (error: unknown) => this.#fail(error),
      );
      return;
    }
  }

  #admitted(credentials: Credentials): void {
    const startup = this.#startup;
    if (startup === null) return;
    this.#end();
    const params = new Map(startup.params);
    const user = params.get('user') ?? '';
    const database = params.get('database') ?? user;
    params.delete('user');
    params.delete('database');
    this.#gate.enter({
      channel: this.#channel,
      peer: this.#peer,
      user,
      database,
      minor: Math.min(startup.minor, NEWEST_MINOR),
      params,
      credentials,
      tls: this.#secure !== null,
      rest: this.#auth === null ? this.#pending : Buffer.concat([this.#frames.rest(), this.#pending]),
    });
  }

  #fail(raised: unknown): void {
    if (this.#over) return;
    const error =
      raised instanceof PgfigError
        ? raised
        : new PgfigError('INTERNAL', `unexpected error: ${raised instanceof Error ? raised.message : String(raised)}`);
    this.#end();
    if (error.code === 'AUTH_FAILED' || error.code === 'AUTH_NOT_ALLOWED') {
      const reason = error.cause instanceof Error ? error.cause.message : error.message;
      this.#gate.authFailed(this.#startup?.params.get('user') ?? null, this.#peer, reason);
    }
    this.#upgrading?.destroy();
    this.#channel.writeOwned(
      this.#speaksOldProtocol() ? Buffer.from(`EFATAL:  ${error.message}\n\0`) : errorFrom(error),
    );
    this.#channel.end();
  }

  /** Clients of protocol 2 and older understand errors in their own format only. */
  #speaksOldProtocol(): boolean {
    if (this.#startup !== null || this.#pending.length < 8) return false;
    const version = this.#pending.readUInt32BE(4);
    return version >>> 16 > 0 && version >>> 16 < 3;
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#gate.left(this);
  }
}
