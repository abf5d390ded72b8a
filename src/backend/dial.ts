import tls from 'node:tls';
import { ClientAuth } from '../auth/client-auth.js';
import type { Credentials } from '../auth/server-auth.js';
import type { DatabaseConfig } from '../config/config.js';
import { PgfigError } from '../errors/pgfig-error.js';
import { Channel, type ChannelOwner } from '../net/channel.js';
import { decodeBackendKeyData, decodeErrorFields, decodeParameterStatus, type ErrorFields } from '../wire/decode.js';
import { FrameReader } from '../wire/framer.js';
import { terminate } from '../wire/frontend-messages.js';
import { encodeSslRequest, encodeStartup } from '../wire/startup.js';
import { B } from '../wire/types.js';
import { backendTlsOptions } from './backend-tls.js';
import { type BackendIdentity, Link, type LinkOwner } from './link.js';

export interface DialOptions {
  readonly database: DatabaseConfig;
  /** Replaces the database's own dbname: sessions of other databases on the same server. */
  readonly dbname?: string;
  readonly credentials: Credentials;
  /** Startup parameters besides user and database. */
  readonly params: ReadonlyMap<string, string>;
  readonly owner: LinkOwner;
  /** Ends the attempt (the client is gone, or cancelled). */
  readonly signal?: AbortSignal;
}

/** The backend answered the login with an error: its own words, for the client of a first link. */
export class LoginRefused extends PgfigError {
  readonly fields: ErrorFields;
  constructor(database: string, fields: ErrorFields) {
    super('BACKEND_LOGIN_FAILED', `database "${database}" refused the login: ${fields.message}`, {
      detail: `SQLSTATE ${fields.code}`,
    });
    this.fields = fields;
  }
}

const MAX_LOGIN_MESSAGE = 1024 * 1024;

/**
 * Connects to a database, does TLS and the login, and gives back a link that is ready for queries.
 * Flow: PostgreSQL documentation, 55.2.1 Start-up and 55.2.10 SSL.
 * @throws PgfigError BACKEND_UNREACHABLE, BACKEND_LOGIN_FAILED (as LoginRefused where the backend said why), CANCELED
 */
export function dial(options: DialOptions): Promise<Link> {
  return new Promise<Link>((resolve, reject) => {
    const attempt = new LoginAttempt(options, resolve, reject);
    attempt.start();
  });
}

class LoginAttempt implements ChannelOwner {
  readonly #options: DialOptions;
  readonly #resolve: (link: Link) => void;
  readonly #reject: (error: Error) => void;
  readonly #frames = new FrameReader(MAX_LOGIN_MESSAGE);
  readonly #parameters = new Map<string, string>();
  readonly #user: string;
  readonly #auth: ClientAuth;
  #identity: BackendIdentity = { pid: 0, secret: Buffer.alloc(4) };
  #channel: Channel | null = null;
  #timer: NodeJS.Timeout | null = null;
  #awaitingTls = false;
  #settled = false;
  readonly #onAbort = (): void => this.#fail(new PgfigError('CANCELED', 'canceling statement due to user request'));

  constructor(options: DialOptions, resolve: (link: Link) => void, reject: (error: Error) => void) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    const { database, credentials } = options;
    this.#user = database.user ?? credentials.user;
    this.#auth = new ClientAuth(
      this.#user,
      database.user === null && database.password === null
        ? credentials
        : { user: this.#user, password: database.password, scram: null },
    );
  }

  start(): void {
    const { database, signal } = this.#options;
    this.#timer = setTimeout(
      () => this.#unreachable(`no answer within ${database.connectTimeout} ms`),
      database.connectTimeout,
    );
    if (signal?.aborted) return this.#onAbort();
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#channel = Channel.connect(database.host, database.port, this, () => this.#connected());
  }

  #connected(): void {
    if (this.#options.database.sslmode === 'disable' || this.#options.database.host.startsWith('/')) {
      this.#sendStartup();
    } else {
      this.#awaitingTls = true;
      this.#channel?.writeOwned(encodeSslRequest());
    }
  }

  #sendStartup(): void {
    const { database, dbname, params } = this.#options;
    const all = new Map(params);
    all.set('user', this.#user);
    all.set('database', dbname ?? database.dbname);
    this.#channel?.writeOwned(encodeStartup(all));
  }

  onData(chunk: Buffer): void {
    if (this.#settled) return;
    if (this.#awaitingTls) return this.#tlsAnswer(chunk);
    try {
      for (const { type, body } of this.#frames.push(chunk)) this.#message(type, Buffer.from(body));
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  onDrain(): void {}

  onClosed(error: Error | null): void {
    this.#unreachable(error === null ? 'it closed the connection' : error.message);
  }

  #tlsAnswer(chunk: Buffer): void {
    const { database } = this.#options;
    this.#awaitingTls = false;
    // Bytes behind the answer would be read as if they had come encrypted (CVE-2021-23222).
    if (chunk.length > 1) return this.#unreachable('it sent bytes behind its answer to SSLRequest');
    if (chunk[0] === 0x4e /* N */) {
      if (database.sslmode === 'prefer' || database.sslmode === 'allow') return this.#sendStartup();
      return this.#unreachable(`it does not speak TLS, and sslmode=${database.sslmode} asks for it`);
    }
    if (chunk[0] !== 0x53 /* S */) return this.#unreachable('it does not speak the PostgreSQL protocol');
    const plain = this.#channel?.detach();
    if (plain === undefined) return;
    try {
      const secure = tls.connect({ ...backendTlsOptions(database), socket: plain });
      secure.once('secureConnect', () => this.#sendStartup());
      this.#channel = Channel.overStream(secure, this);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #message(type: number, body: Buffer): void {
    if (this.#settled) return;
    switch (type) {
      case B.Authentication: {
        const answer = this.#auth.onAuthentication(body);
        if (answer !== 'ok') for (const bytes of answer) this.#channel?.writeOwned(bytes);
        return;
      }
      case B.BackendKeyData: {
        const { pid, secret } = decodeBackendKeyData(body, 0, body.length);
        this.#identity = { pid, secret: Buffer.from(secret) };
        return;
      }
      case B.ParameterStatus: {
        const [name, value] = decodeParameterStatus(body, 0, body.length);
        this.#parameters.set(name, value);
        return;
      }
      case B.ErrorResponse:
        return this.#fail(new LoginRefused(this.#options.database.name, decodeErrorFields(body, 0, body.length)));
      case B.ReadyForQuery:
        return this.#done();
      default:
        return; // NoticeResponse, NegotiateProtocolVersion: nothing that a login must know
    }
  }

  #done(): void {
    const channel = this.#channel;
    if (channel === null || !this.#settle()) return;
    const { database, owner } = this.#options;
    this.#resolve(new Link(database.name, channel, this.#identity, this.#parameters, owner));
  }

  #unreachable(why: string): void {
    const { database } = this.#options;
    this.#fail(
      new PgfigError('BACKEND_UNREACHABLE', `database "${database.name}" cannot be reached`, {
        detail: `${database.host}:${database.port}: ${why}`,
      }),
    );
  }

  #fail(error: Error): void {
    if (!this.#settle()) return;
    this.#channel?.writeOwned(terminate);
    this.#channel?.end();
    this.#reject(error);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    return true;
  }
}
