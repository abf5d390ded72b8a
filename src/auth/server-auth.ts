import { randomBytes } from 'node:crypto';
import type { AuthMethod } from '../config/config.js';
import { PgfigError } from '../errors/pgfig-error.js';
import * as messages from '../wire/backend-messages.js';
import { F } from '../wire/types.js';
import type { Credentials } from './credentials.js';
import { DEFAULT_ITERATIONS, deriveKeys, hmac, type ScramKeys, type ScramVerifier } from './scram-keys.js';
import { MECHANISM } from './scram-messages.js';
import { type ScramChallenge, ScramServer } from './scram-server.js';
import { checkPassword, md5Answer, md5Hash, sameText, type Verifier } from './verifier.js';

export type { Credentials } from './credentials.js';

/** Where users are looked up: a userlist, an auth_query, or one after the other. */
export interface UserLookup {
  /** The user's verifier; null: no such user, or none who may log in with a password now. */
  find(user: string): Promise<Verifier | null> | Verifier | null;
}

export interface AuthStep {
  /** Messages for the client, in order. */
  readonly send: Buffer[];
  /** Not null: the client is who it says, AuthenticationOk is among `send`. */
  readonly done: Credentials | null;
}

export interface ServerAuthOptions {
  readonly method: AuthMethod;
  /** As the startup packet has it. */
  readonly user: string;
  readonly verifier: Verifier | null;
  /** The CN of the client's certificate, when it sent one that chains to the configured CA; else null. */
  readonly certificateName: string | null;
  /**
   * Key of the salts that are made up for unknown users: random, and the same in every worker, so that
   * a name which is asked twice has one salt.
   */
  readonly mockKey: Uint8Array;
  /** Iterations that unknown users are asked for: those of the real verifiers; 4096 when not given. */
  readonly mockIterations?: number;
}

type State = 'new' | 'password' | 'md5' | 'sasl-initial' | 'sasl-first' | 'sasl-final' | 'over';

/**
 * The server's side of one login: feed it the client's messages, send what it says.
 * Flow: PostgreSQL documentation, 55.2.1 and 55.3; behaviour: auth.c and auth-scram.c.
 * A failure is thrown as a PgfigError; the cause in it is for the log alone.
 */
export class ServerAuth {
  private readonly options: ServerAuthOptions;
  private readonly scram = new ScramServer();
  private readonly md5Salt = randomBytes(4);
  private state: State = 'new';

  constructor(options: ServerAuthOptions) {
    this.options = options;
  }

  /** What goes to the client first. @throws PgfigError AUTH_NOT_ALLOWED (cert) */
  start(): AuthStep {
    const { method, verifier } = this.options;
    if (this.state !== 'new') throw new PgfigError('INTERNAL', 'a login was started twice');
    if (method === 'trust') return this.accept();
    if (method === 'cert') return this.checkCertificate();
    if (method === 'password') return this.ask('password', messages.authenticationCleartext());
    // As in Postgres, md5 means SCRAM for users with a SCRAM verifier: md5 could not check them.
    if (method === 'md5' && verifier?.kind !== 'scram') {
      return this.ask('md5', messages.authenticationMd5(this.md5Salt));
    }
    return this.ask('sasl-initial', messages.authenticationSasl([MECHANISM]));
  }

  /**
   * The client's next message.
   * @throws PgfigError AUTH_FAILED, PROTOCOL_VIOLATION, UNSUPPORTED_PROTOCOL (or rejects with it)
   */
  onMessage(type: number, body: Uint8Array): AuthStep | Promise<AuthStep> {
    const state = this.state;
    if (type !== F.Password || state === 'over' || state === 'new') {
      const awaited = state.startsWith('sasl') ? 'SASL' : 'password';
      throw new PgfigError('PROTOCOL_VIOLATION', `expected ${awaited} response, got message type ${type}`);
    }
    if (state === 'password') return this.checkCleartext(readPassword(body));
    if (state === 'md5') return this.checkMd5(readPassword(body));
    if (state === 'sasl-initial') return this.saslInitial(body);
    const text = Buffer.from(body).toString('latin1');
    return state === 'sasl-first' ? this.clientFirst(text) : this.clientFinal(text);
  }

  private ask(next: State, question: Buffer): AuthStep {
    this.state = next;
    return { send: [question], done: null };
  }

  /** @param shown what this login has shown, over what the verifier tells anyway */
  private accept(shown: Partial<Credentials> = {}, before: Buffer[] = []): AuthStep {
    this.state = 'over';
    const { user, verifier } = this.options;
    return {
      send: [...before, messages.authenticationOk()],
      done: {
        user,
        password: verifier?.kind === 'plain' && verifier.password !== '' ? verifier.password : null,
        md5: verifier?.kind === 'md5' ? verifier.hash : null,
        scram: null,
        ...shown,
      },
    };
  }

  private refuse(reason: string): PgfigError {
    this.state = 'over';
    const message = `password authentication failed for user "${this.options.user}"`;
    return new PgfigError('AUTH_FAILED', message, { cause: new Error(reason) });
  }

  private checkCertificate(): AuthStep {
    const { user, certificateName } = this.options;
    if (certificateName === user) return this.accept();
    this.state = 'over';
    const cause = new Error(
      certificateName === null ? 'no valid client certificate' : `the certificate is for "${certificateName}"`,
    );
    throw new PgfigError('AUTH_NOT_ALLOWED', `certificate authentication failed for user "${user}"`, { cause });
  }

  private async checkCleartext(password: string | null): Promise<AuthStep> {
    const { user, verifier } = this.options;
    this.state = 'over';
    if (verifier === null) throw this.refuse('no such user, or none with a password that is valid now');
    if (password === null) throw this.refuse('the password is not UTF-8');
    if (!(await checkPassword(verifier, user, password))) throw this.refuse('wrong password');
    return this.accept({ password });
  }

  private checkMd5(answer: string | null): AuthStep {
    const { user, verifier } = this.options;
    if (verifier === null || verifier.kind === 'scram') {
      throw this.refuse('no such user, or none with a password that is valid now');
    }
    if (verifier.kind === 'plain' && verifier.password === '') throw this.refuse('the user has no password');
    const hash = verifier.kind === 'md5' ? verifier.hash : md5Hash(user, verifier.password);
    if (!sameText(answer ?? '', md5Answer(hash, this.md5Salt))) throw this.refuse('wrong password');
    return this.accept({ md5: hash });
  }

  /** SASLInitialResponse: String mechanism, Int32 length (-1: none), Byte n data. */
  private saslInitial(body: Uint8Array): AuthStep {
    const buf = Buffer.from(body);
    const nul = buf.indexOf(0);
    if (nul < 0) throw new PgfigError('PROTOCOL_VIOLATION', 'invalid string in message');
    if (buf.latin1Slice(0, nul) !== MECHANISM) {
      throw new PgfigError('PROTOCOL_VIOLATION', 'client selected an invalid SASL authentication mechanism');
    }
    if (buf.length < nul + 5) throw new PgfigError('PROTOCOL_VIOLATION', 'insufficient data left in message');
    const length = buf.readInt32BE(nul + 1);
    // Without data the client wants to be asked for its first message.
    if (length === -1) return this.ask('sasl-first', messages.authenticationSaslContinue(Buffer.alloc(0)));
    if (length !== buf.length - nul - 5) throw new PgfigError('PROTOCOL_VIOLATION', 'invalid message format');
    return this.clientFirst(buf.latin1Slice(nul + 5, buf.length));
  }

  private clientFirst(text: string): AuthStep {
    const answer = this.scram.challenge(text, this.scramChallenge());
    return this.ask('sasl-final', messages.authenticationSaslContinue(Buffer.from(answer, 'latin1')));
  }

  /** Salt and iterations: the verifier's; for users without one made up from the name, always the same. */
  private scramChallenge(): ScramChallenge {
    const { verifier, user, mockKey, mockIterations = DEFAULT_ITERATIONS } = this.options;
    if (verifier?.kind === 'scram') return verifier;
    return { salt: hmac(mockKey, user).subarray(0, 16), iterations: mockIterations };
  }

  private clientFinal(text: string): AuthStep | Promise<AuthStep> {
    const { verifier } = this.options;
    this.state = 'over';
    if (verifier?.kind === 'plain' && verifier.password !== '') {
      const { salt, iterations } = this.scramChallenge();
      return deriveKeys(verifier.password, salt, iterations).then((keys) => this.checkProof(text, keys, false));
    }
    if (verifier?.kind === 'scram') return this.checkProof(text, verifier, true);
    // The whole of the work is done for unknown users too, and for those whose verifier cannot serve.
    const nobody = { ...this.scramChallenge(), storedKey: randomBytes(32), serverKey: randomBytes(32) };
    return this.checkProof(text, nobody, false);
  }

  /** @param keep whether the keys serve elsewhere; those with a made-up salt do not */
  private checkProof(text: string, against: ScramVerifier, keep: boolean): AuthStep {
    const proven = this.scram.verify(text, against);
    if (proven === null) throw this.refuse(this.scramRefusal());
    const scram: ScramKeys | null = keep ? proven.keys : null;
    return this.accept({ scram }, [messages.authenticationSaslFinal(Buffer.from(proven.serverFinal, 'latin1'))]);
  }

  private scramRefusal(): string {
    const { verifier } = this.options;
    if (verifier === null) return 'no such user, or none with a password that is valid now';
    return verifier.kind === 'md5' ? 'the user has an md5 verifier, which SCRAM cannot use' : 'wrong password';
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** PasswordMessage: String password. Null where it is not UTF-8, which no password here is. */
function readPassword(body: Uint8Array): string | null {
  if (body.length === 0 || body.indexOf(0) !== body.length - 1)
    throw new PgfigError('PROTOCOL_VIOLATION', 'invalid password packet size');
  if (body.length === 1) throw new PgfigError('AUTH_FAILED', 'empty password returned by client');
  try {
    return utf8.decode(body.subarray(0, -1));
  } catch {
    return null;
  }
}
