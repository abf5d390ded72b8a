import net from 'node:net';
import type pg from 'pg';

/** The CancelRequest that libpq's PQcancel sends, on a connection of its own; resolves when the server has closed it. */
export async function cancelRequest(host: string, port: number, pid: number, secret: number): Promise<void> {
  const request = Buffer.alloc(16);
  request.writeInt32BE(16, 0);
  request.writeInt32BE(80877102, 4);
  request.writeInt32BE(pid, 8);
  request.writeInt32BE(secret, 12);
  const socket = net.connect(port, host);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', () => socket.write(request));
    socket.once('error', reject);
    socket.once('close', () => resolve());
    socket.resume();
  });
}

/** Cancels what a client of `pg` is running. */
export function cancel(client: pg.Client): Promise<void> {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  return cancelRequest(client.host, client.port, processID, secretKey);
}
