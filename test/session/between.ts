import net from 'node:net';
import { onTeardown } from '../support/teardown.js';

/** Stands between pgfig and a server, where it can be made to spoil what passes. */
export interface Between {
  /** The server's url, by way of it. */
  url(url: string): string;
  /** From now on, in what is sent to the server, `what` becomes `other`, which is as long. */
  replace(what: string, other: string): void;
  /**
   * The connection that sends `sent` ends when the server has answered with these message types, one after the other: what
   * comes next is not heard any more. Once.
   */
  cutBehind(sent: string, ...types: readonly string[]): void;
  /** Spoils nothing any more. */
  rest(): void;
}

export async function standBetween(port: number): Promise<Between> {
  let replaced: readonly [Buffer, Buffer] | null = null;
  let cut: { readonly sent: string; readonly types: readonly string[] } | null = null;
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ noDelay: true }, (client) => {
    const backend = net.connect({ host: '127.0.0.1', port, noDelay: true });
    for (const socket of [client, backend]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    let seen: string[] | null = null;
    client.on('data', (chunk: Buffer) => {
      if (cut !== null && chunk.includes(cut.sent)) seen ??= [];
      const at = replaced === null ? -1 : chunk.indexOf(replaced[0]);
      if (at >= 0) replaced?.[1].copy(chunk, at);
      backend.write(chunk);
    });
    backend.on('data', (chunk: Buffer) => {
      for (let at = 0; cut !== null && seen !== null && at + 5 <= chunk.length; at += 1 + chunk.readUInt32BE(at + 1)) {
        seen = [...seen, chunk.toString('latin1', at, at + 1)].slice(-cut.types.length);
        if (seen.join() !== cut.types.join()) continue;
        cut = null;
        client.end(chunk.subarray(0, at + 1 + chunk.readUInt32BE(at + 1)));
        backend.destroy();
        return;
      }
      client.write(chunk);
    });
    client.on('close', () => backend.destroy());
    backend.on('close', () => client.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await onTeardown(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const own = (server.address() as net.AddressInfo).port;
  return {
    url: (url) => url.replace(`:${port}/`, `:${own}/`),
    replace: (what, other) => {
      if (what.length !== other.length) throw new Error('the message would be of another length');
      replaced = [Buffer.from(what), Buffer.from(other)];
    },
    cutBehind: (sent, ...types) => {
      cut = { sent, types };
    },
    rest: () => {
      replaced = null;
      cut = null;
    },
  };
}
