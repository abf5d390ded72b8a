/** Both sides of a login against each other, without a socket. */
import { ClientAuth } from '../../src/auth/client-auth.js';
import { type AuthStep, type Credentials, ServerAuth, type ServerAuthOptions } from '../../src/auth/server-auth.js';
import { AUTH } from '../../src/wire/types.js';

export const MOCK_KEY = Buffer.from('one key for all workers');

export const server = (options: Partial<ServerAuthOptions>): ServerAuth =>
  new ServerAuth({
    method: 'scram-sha-256',
    user: 'ann',
    verifier: null,
    certificateName: null,
    mockKey: MOCK_KEY,
    ...options,
  });

/** @returns what the server knows after it; rejects with what either side throws */
export async function login(
  options: Partial<ServerAuthOptions>,
  credentials: Credentials | string | null,
): Promise<Credentials | null> {
  const serverSide = server(options);
  const clientSide = new ClientAuth(options.user ?? 'ann', credentials);
  let step: AuthStep = serverSide.start();
  for (;;) {
    const answers: Buffer[] = [];
    let ok = false;
    for (const message of step.send) {
      const answer = clientSide.onAuthentication(message.subarray(5));
      if (answer === 'ok') ok = true;
      else answers.push(...answer);
    }
    if (ok) return step.done;
    const [answer] = answers;
    if (answer === undefined || answers.length !== 1) throw new Error(`${answers.length} answers`);
    step = await serverSide.onMessage(answer[0] ?? 0, answer.subarray(5));
  }
}

/** The body of an Authentication message that a backend could send. */
export function authentication(kind: number, data: string | Uint8Array = ''): Buffer {
  const head = Buffer.alloc(4);
  head.writeInt32BE(kind);
  return Buffer.concat([head, Buffer.from(data)]);
}

export const offers = (...mechanisms: string[]): Buffer => authentication(AUTH.Sasl, `${mechanisms.join('\0')}\0\0`);

/** The body of a SASLInitialResponse. */
export function saslInitialBody(mechanism: string, data: string | null): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(data === null ? -1 : Buffer.byteLength(data, 'latin1'));
  return Buffer.concat([Buffer.from(`${mechanism}\0`), length, Buffer.from(data ?? '', 'latin1')]);
}
