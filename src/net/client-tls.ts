import { readFileSync } from 'node:fs';
import type net from 'node:net';
import tls from 'node:tls';
import { PgfigError } from '../errors/pgfig-error.js';

/** Files and strictness of TLS towards clients; `listen.tls` of the configuration. */
export interface ClientTlsOptions {
  readonly mode: 'disable' | 'allow' | 'require' | 'verify-ca' | 'verify-full';
  readonly cert: string;
  readonly key: string;
  readonly ca: string | null;
}

/**
 * The certificate in use, and the upgrade of a client's socket to TLS (PostgreSQL documentation, 55.2.10). The server
 * in it never listens: sockets are handed to it when the client asks for TLS, and it judges their certificates.
 */
export class ClientTls {
  readonly #options: ClientTlsOptions;
  readonly #server: tls.Server;
  /** What to do with a socket once it speaks TLS, by its peer's address. */
  readonly #waiting = new Map<string, (secure: tls.TLSSocket) => void>();

  /** @throws PgfigError FILE_UNREADABLE */
  constructor(options: ClientTlsOptions) {
    this.#options = options;
    const verifies = options.mode === 'verify-ca' || options.mode === 'verify-full';
    check(options);
    this.#server = tls.createServer({
      ...read(options),
      ALPNProtocols: ['postgresql'],
      requestCert: options.ca !== null,
      rejectUnauthorized: verifies,
    });
    this.#server.on('secureConnection', (secure) => this.#ready(secure));
    this.#server.on('tlsClientError', (_error, secure) => secure.destroy());
  }

  get mode(): ClientTlsOptions['mode'] {
    return this.#options.mode;
  }

  /** Reads the files again; connections that stand keep what they have. @throws PgfigError FILE_UNREADABLE */
  reload(): void {
    check(this.#options);
    this.#server.setSecureContext(read(this.#options));
  }

  /**
   * Speaks TLS over a detached socket; `head` was read from it already (direct TLS). Calls `ready` after the
   * handshake; a failure closes the socket.
   */
  upgrade(socket: net.Socket, head: Buffer | null, ready: (secure: tls.TLSSocket) => void): void {
    const peer = peerOf(socket);
    this.#waiting.set(peer, ready);
    socket.once('close', () => {
      if (this.#waiting.get(peer) === ready) this.#waiting.delete(peer);
    });
    if (head !== null) socket.unshift(head);
    this.#server.emit('connection', socket);
  }

  #ready(secure: tls.TLSSocket): void {
    const peer = peerOf(secure);
    const ready = this.#waiting.get(peer);
    this.#waiting.delete(peer);
    if (ready === undefined) secure.destroy();
    else ready(secure);
  }
}

const peerOf = (socket: net.Socket): string => `${socket.remoteAddress} ${socket.remotePort}`;

/** Common name of a client certificate that chains to the CA, else null. */
export function certificateName(secure: tls.TLSSocket): string | null {
  if (!secure.authorized) return null;
  const { subject } = secure.getPeerCertificate();
  const name: unknown = subject?.CN;
  return typeof name === 'string' ? name : null;
}

function read(options: ClientTlsOptions): tls.SecureContextOptions {
  return {
    cert: readFileSync(options.cert),
    key: readFileSync(options.key),
    ...(options.ca === null ? {} : { ca: readFileSync(options.ca) }),
    minVersion: 'TLSv1.2',
  };
}

function check(options: ClientTlsOptions): void {
  try {
    tls.createSecureContext(read(options));
  } catch (cause) {
    throw new PgfigError(
      'FILE_UNREADABLE',
      `TLS certificate and key cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`,
      { detail: `Files: ${options.cert}, ${options.key}${options.ca === null ? '' : `, ${options.ca}`}.` },
    );
  }
}
