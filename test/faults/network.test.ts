import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { until } from '../clients/conditions.js';
import { FaultNetwork } from './network.js';

/** What one end of a connection has seen. */
class End {
  text = '';
  ended = false;
  closed = false;
  error: string | null = null;
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (data: string) => {
      this.text += data;
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message;
    });
  }

  has(text: string): Promise<void> {
    return until(`"${text}"`, () => this.text === text);
  }
}

/** A network with a server behind it, and a connection through it: both ends. Later connections get an echo. */
async function pair(t: Test): Promise<{ network: FaultNetwork; client: End; server: End }> {
  const ends: End[] = [];
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    ends.push(new End(socket));
    if (ends.length > 1) socket.pipe(socket);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const network = await FaultNetwork.open(() => ({ host: '127.0.0.1', port }));
  const client = new End(connect({ host: '127.0.0.1', port: network.port, allowHalfOpen: true }));
  t.teardown(async () => {
    await network.close();
    client.socket.destroy();
    for (const end of ends) end.socket.destroy();
    listener.close();
  });
  client.socket.write('hello');
  await until('a connection', () => ends[0]?.text === 'hello');
  const [server] = ends;
  if (server === undefined) throw new Error('no connection');
  server.socket.write('hello yourself');
  await client.has('hello yourself');
  return { network, client, server };
}

/** That something does not happen can only be told by time. */
const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

t.test('drop: both ends get an RST', async (t) => {
  const { network, client, server } = await pair(t);
  network.drop();
  await until('both are closed', () => client.closed && server.closed);
  t.strictSame([client.error, server.error], ['ECONNRESET', 'ECONNRESET']);
  t.equal(network.connections, 0);
});

t.test('refuse: new connections are reset, until healed', async (t) => {
  const { network, client } = await pair(t);
  network.refuse();
  await until('closed', () => client.closed);
  const next = new End(connect({ host: '127.0.0.1', port: network.port }));
  await until('reset', () => next.closed);
  t.equal(next.error, 'ECONNRESET');
  network.heal();
  const last = new End(connect({ host: '127.0.0.1', port: network.port }));
  await until('connected', () => network.connections === 1);
  t.notOk(last.closed);
  last.socket.destroy();
});

t.test('cut: nothing moves and nobody is told; healed, all of it arrives in order', async (t) => {
  const { network, client, server } = await pair(t);
  network.cut();
  client.socket.write(' up');
  server.socket.write(' down');
  await quiet();
  t.strictSame([server.text, client.text], ['hello', 'hello yourself']);
  client.socket.end(' end');
  await quiet();
  t.strictSame([server.text, server.ended, server.closed, client.closed], ['hello', false, false, false]);
  network.heal();
  await server.has('hello up end');
  await client.has('hello yourself down');
  await until('the end', () => server.ended);
});

t.test('cut: a connection that is made during it gets no answer before it is healed', async (t) => {
  const { network } = await pair(t);
  network.cut();
  const late = new End(connect({ host: '127.0.0.1', port: network.port }));
  late.socket.write('late');
  await quiet();
  t.strictSame([late.text, late.error], ['', null]);
  network.heal();
  await late.has('late');
  late.socket.destroy();
});

t.test('half-open: one direction goes on', async (t) => {
  for (const dead of ['up', 'down'] as const) {
    const { network, client, server } = await pair(t);
    network.halfOpen(dead);
    client.socket.write(' up');
    server.socket.write(' down');
    if (dead === 'up') await client.has('hello yourself down');
    else await server.has('hello up');
    await quiet();
    t.strictSame(
      [server.text, client.text],
      dead === 'up' ? ['hello', 'hello yourself down'] : ['hello up', 'hello yourself'],
    );
    network.heal();
    await server.has('hello up');
    await client.has('hello yourself down');
  }
});

t.test('delay: both directions are late by that', async (t) => {
  const { network, client, server } = await pair(t);
  network.delay(150);
  const began = performance.now();
  client.socket.write('!');
  await server.has('hello!');
  server.socket.write('!');
  await client.has('hello yourself!');
  const took = performance.now() - began;
  t.ok(took >= 290, `${took} ms for both ways`);
});

t.test('limit: no more than so many bytes a second, and the sender is held up', async (t) => {
  const { network, client, server } = await pair(t);
  network.limit(500_000);
  const began = performance.now();
  const bytes = 'x'.repeat(300_000);
  client.socket.write(bytes);
  await until('all of it', () => server.text.length === 'hello'.length + bytes.length);
  const took = performance.now() - began;
  t.ok(took >= 500, `${took} ms`);
  network.cut();
  client.socket.write('y'.repeat(20_000_000));
  await quiet();
  t.ok(client.socket.writableLength > 1_000_000, 'most of it is still with the sender');
  network.heal();
  await until('all of that', () => server.text.length > 20_000_000);
});

t.test('a close and a reset pass, one way after the other', async (t) => {
  const { client, server } = await pair(t);
  client.socket.end();
  await until('the end', () => server.ended);
  server.socket.end('bye');
  await client.has('hello yourselfbye');
  const second = await pair(t);
  second.server.socket.resetAndDestroy();
  await until('closed', () => second.client.closed);
  t.equal(second.client.error, 'ECONNRESET');
});

t.test('a server that is not there looks like one that resets', async (t) => {
  const network = await FaultNetwork.open(() => ({ host: '127.0.0.1', port: 1 }));
  t.teardown(() => network.close());
  const client = new End(connect({ host: '127.0.0.1', port: network.port }));
  await until('closed', () => client.closed);
  t.equal(client.error, 'ECONNRESET');
  await until('nothing is left', () => network.connections === 0);
});
