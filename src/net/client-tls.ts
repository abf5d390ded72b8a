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

/** The certificate in use, and the upgrade of a client's socket to TLS (PostgreSQL documentation, 55.2.10). */
export class ClientTls {
  readonly #options: ClientTlsOptions;
  #context: tls.SecureContext;

  /** @throws PgfigError FILE_UNREADABLE */
  constructor(options: ClientTlsOptions) {
    this.#options = options;
    this.#context = load(options);
  }

  get mode(): ClientTlsOptions['mode'] {
    return this.#options.mode;
  }

  /** Reads the files again; connections that stand keep what they have. @throws PgfigError FILE_UNREADABLE */
  reload(): void {
    this.#context = load(this.#options);
  }

  /**
   * Speaks TLS over a detached socket; `head` was read from it already (direct TLS). Calls `ready` after the
   * handshake; a failure closes the socket.
   */
  upgrade(socket: net.Socket, head: Buffer | null, ready: (secure: tls.TLSSocket) => void): tls.TLSSocket {
    if (head !== null) socket.unshift(head);
    const verifies = this.#options.mode === 'verify-ca' || this.#options.mode === 'verify-full';
    const secure = new tls.TLSSocket(socket, {
      isServer: true,
      secureContext: this.#context,
      ALPNProtocols: ['postgresql'],
      requestCert: this.#options.ca !== null,
      rejectUnauthorized: verifies,
    });
    secure.on('error', () => secure.destroy());
    secure.once('secure', () => ready(secure));
    return secure;
  }
}

/** Common name of a client certificate that chains to the CA, else null. */
export function certificateName(secure: tls.TLSSocket): string | null {
  if (!secure.authorized) return null;
  const { subject } = secure.getPeerCertificate();
  const name: unknown = subject?.CN;
  return typeof name === 'string' ? name : null;
}

function load(options: ClientTlsOptions): tls.SecureContext {
  try {
    return tls.createSecureContext({
      cert: readFileSync(options.cert),
      key: readFileSync(options.key),
      ...(options.ca === null ? {} : { ca: readFileSync(options.ca) }),
      minVersion: 'TLSv1.2',
    });
  } catch (cause) {
    throw new PgfigError(
      'FILE_UNREADABLE',
      `TLS certificate and key cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        detail: `Files: ${options.cert}, ${options.key}${options.ca === null ? '' : `, ${options.ca}`}.`,
      },
    );
  }
}
