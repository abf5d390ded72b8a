import { PgfigError } from '../errors/pgfig-error.js';
import { password as passwordMessage, saslInitial, saslResponse } from '../wire/frontend-messages.js';
import { AUTH } from '../wire/types.js';
import type { Credentials } from './credentials.js';
import { ScramClient } from './scram-client.js';
import { MECHANISM } from './scram-messages.js';
import { md5Answer, md5Hash } from './verifier.js';

const UNSUPPORTED = new Map<number, string>([
  [AUTH.KerberosV5, 'Kerberos V5'],
  [AUTH.Gss, 'GSSAPI'],
  [AUTH.GssContinue, 'GSSAPI'],
  [AUTH.Sspi, 'SSPI'],
]);

const failed = (message: string, hint?: string): PgfigError =>
  new PgfigError('BACKEND_LOGIN_FAILED', message, hint === undefined ? {} : { hint });

type State = 'new' | 'password' | 'sasl-first' | 'sasl-final' | 'proven' | 'over';

/**
 * What pgfig answers to a backend that asks who it is: give it the body of each Authentication
 * message, send what it says. One object for one login.
 * Flow: PostgreSQL documentation, 55.2.1 and 55.3.
 */
export class ClientAuth {
  private readonly user: string;
  private readonly credentials: Credentials;
  private readonly scram: ScramClient;
  private state: State = 'new';

  /**
   * @param user as in the startup packet that was sent
   * @param credentials what a client's login has shown, or a password; null: nothing is known
   */
  constructor(user: string, credentials: Credentials | string | null) {
    this.user = user;
    this.credentials =
      typeof credentials === 'object' && credentials !== null
        ? credentials
        : { user, password: credentials, scram: null };
    this.scram = new ScramClient(user, this.credentials);
  }

  /**
   * @returns messages to send, or 'ok' once the backend is content
   * @throws PgfigError BACKEND_LOGIN_FAILED, with a hint that says what to configure
   */
  onAuthentication(body: Uint8Array): Buffer[] | 'ok' {
    const buf = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    if (buf.length < 4) throw failed('the backend sent a malformed Authentication message');
    const kind = buf.readInt32BE(0);
    switch (kind) {
      case AUTH.Ok:
        return this.ok();
      case AUTH.Cleartext:
        return this.begin('password', passwordMessage(this.password('its password')));
      case AUTH.Md5:
        return this.begin('password', passwordMessage(md5Answer(this.md5(), this.md5Salt(buf))));
      case AUTH.Sasl:
        return this.sasl(buf.toString('latin1', 4).split('\0'));
      case AUTH.SaslContinue:
        this.expect('sasl-first', 'sasl-final');
        return [saslResponse(this.scram.answer(buf.toString('latin1', 4)))];
      case AUTH.SaslFinal:
        this.expect('sasl-final', 'proven');
        this.scram.verify(buf.toString('latin1', 4));
        return [];
      default:
        throw failed(
          `the backend asks user "${this.user}" for ${UNSUPPORTED.get(kind) ?? `authentication method ${kind}`}, which pgfig does not speak`,
          "Let pgfig's address in with scram-sha-256, md5, password, cert or trust in the backend's pg_hba.conf.",
        );
    }
  }

  private expect(state: State, next: State): void {
    if (this.state !== state) throw failed('the backend sent an Authentication message out of turn');
    this.state = next;
  }

  private begin(next: State, answer: Buffer): Buffer[] {
    this.expect('new', next);
    return [answer];
  }

  /** In the middle of SCRAM an Ok would be a server that has not proven itself. */
  private ok(): 'ok' {
    if (this.state === 'sasl-first' || this.state === 'sasl-final') {
      throw failed(`the backend could not prove that it knows user "${this.user}"`);
    }
    if (this.state === 'over') throw failed('the backend sent an Authentication message out of turn');
    this.state = 'over';
    return 'ok';
  }

  private sasl(mechanisms: string[]): Buffer[] {
    if (!mechanisms.includes(MECHANISM)) {
      throw failed(
        `the backend offers user "${this.user}" only ${mechanisms.filter((name) => name !== '').join(', ')}, and pgfig speaks ${MECHANISM}`,
      );
    }
    if (this.credentials.password === null && this.credentials.scram === null) throw this.lacks('SCRAM');
    return this.begin('sasl-first', saslInitial(MECHANISM, this.scram.initial()));
  }

  private password(what: string): string {
    const { password } = this.credentials;
    if (password === null) throw this.lacks(what);
    return password;
  }

  private md5(): string {
    const { password, md5, user } = this.credentials;
    if (password !== null) return md5Hash(this.user, password);
    // The hash holds the name: for another user it is worth nothing.
    if (md5 && user === this.user) return md5;
    throw this.lacks('an MD5 answer');
  }

  private md5Salt(buf: Buffer): Buffer {
    if (buf.length !== 8) throw failed('the backend sent a malformed Authentication message');
    return buf.subarray(4);
  }

  private lacks(what: string): PgfigError {
    const known = this.credentials.scram !== null ? 'only SCRAM keys' : this.credentials.md5 ? 'only an md5 hash' : '';
    return failed(
      `the backend asks user "${this.user}" for ${what}, and pgfig has ${known || 'no password'} of that user`,
      known !== '' && this.credentials.scram !== null
        ? "Use scram-sha-256 in the backend's pg_hba.conf with the same verifier, or put user and password into the database's url."
        : "Put user and password into the database's url, or let clients log in to pgfig with scram-sha-256 and the backend's own verifier.",
    );
  }
}
