/** Logins over real sockets: into a real backend, and by real clients into a server that can only log in. */

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { ClientAuth } from '../../src/auth/client-auth.js';
import { type AuthStep, type Credentials, ServerAuth, type UserLookup } from '../../src/auth/server-auth.js';
import type { AuthMethod } from '../../src/config/config.js';
import { PgfigError } from '../../src/errors/pgfig-error.js';
import * as messages from '../../src/wire/backend-messages.js';
import { decodeDataRow, decodeErrorFields } from '../../src/wire/decode.js';
import { FrameReader } from '../../src/wire/framer.js';
import { query, terminate } from '../../src/wire/frontend-messages.js';
import { encodeStartup, parseStartup } from '../../src/wire/startup.js';
import { B, F } from '../../src/wire/types.js';
import { MOCK_KEY } from './exchange.js';

/**
 * Logs in to a real server and asks who it is there.
 * @throws PgfigError of ClientAuth; Error with the server's own words
 */
export async function logInTo(port: number, user: string, credentials: Credentials | string | null): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write(
      encodeStartup([
        ['user', user],
        ['database', 'postgres'],
      ]),
    );
    const auth = new ClientAuth(user, credentials);
    const frames = new FrameReader(1_000_000);
    let asked = false;
    let name = '';
    for await (const chunk of socket) {
      for (const { type, body } of frames.push(chunk as Buffer)) {
        if (type === B.ErrorResponse) throw new Error(decodeErrorFields(body, 0, body.length).message);
        if (type === B.DataRow) name = decodeDataRow(body, 0, body.length)[0] ?? '';
        if (type === B.Authentication) {
          const answer = auth.onAuthentication(body);
          if (answer !== 'ok') for (const message of answer) socket.write(message);
        }
        if (type === B.ReadyForQuery && asked) return name;
        if (type === B.ReadyForQuery) {
          asked = true;
          socket.write(query('SELECT current_user'));
        }
      }
    }
    throw new Error('the server closed the connection');
  } finally {
    socket.end(terminate);
    socket.destroy();
  }
}

export interface LoginServer {
  readonly port: number;
  /** What the last login has shown. */
  last(): Credentials | null;
  stop(): Promise<void>;
}

/** A server that lets clients log in and answers each query with the user's name. */
export async function startLoginServer(method: AuthMethod, lookup: UserLookup): Promise<LoginServer> {
  const sockets = new Set<Socket>();
  let last: Credentials | null = null;
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket, method, lookup, (credentials) => {
      last = credentials;
    }).catch(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    last: () => last,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function serve(
  socket: Socket,
  method: AuthMethod,
  lookup: UserLookup,
  done: (credentials: Credentials) => void,
): Promise<void> {
  let startup = Buffer.alloc(0);
  let user: string | null = null;
  let auth: ServerAuth | null = null;
  const frames = new FrameReader();
  const send = (step: AuthStep): void => {
    for (const message of step.send) socket.write(message);
    if (step.done === null) return;
    done(step.done);
    auth = null;
    socket.write(messages.parameterStatus('server_version', '18.4'));
    socket.write(messages.parameterStatus('client_encoding', 'UTF8'));
    socket.write(messages.backendKeyData(1, Buffer.alloc(4)));
    socket.write(messages.readyForQuery('I'));
  };
  const take = async (chunk: Buffer): Promise<void> => {
    if (user === null) {
      startup = Buffer.concat([startup, chunk]);
      if (startup.length < 4 || startup.length < startup.readInt32BE(0)) return;
      const packet = parseStartup(startup);
      startup = Buffer.alloc(0);
      if (packet.type !== 'startup') {
        socket.write('N');
        return;
      }
      user = packet.params.get('user') ?? '';
      const verifier = await lookup.find(user);
      auth = new ServerAuth({ method, user, verifier, certificateName: null, mockKey: MOCK_KEY });
      return send(auth.start());
    }
    for (const { type, body } of frames.push(chunk)) {
      if (auth !== null) send(await auth.onMessage(type, body));
      else if (type === F.Terminate) socket.end();
      else if (type === F.Query) socket.write(answer(user));
    }
  };
  for await (const chunk of socket) {
    try {
      await take(chunk as Buffer);
    } catch (error) {
      // Here and not around the loop, which would close the socket before the client reads why.
      if (!(error instanceof PgfigError)) throw error;
      socket.end(messages.errorFrom(error));
    }
  }
}

const answer = (user: string): Buffer =>
  Buffer.concat([
    messages.rowDescription([{ name: 'current_user', typeOid: 25 }]),
    messages.dataRow([user]),
    messages.commandComplete('SELECT 1'),
    messages.readyForQuery('I'),
  ]);
