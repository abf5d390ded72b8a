import { createHash } from 'node:crypto';
import net from 'node:net';
import t, { type Test } from 'tap';
import { Channel, type ChannelOwner } from '../../src/net/channel.js';
import { stableCopy } from '../../src/net/slab.js';

const NOTHING: ChannelOwner = { onData: () => undefined, onDrain: () => undefined, onClosed: () => undefined };

/** A server that adopts what it accepts, as the proxy's workers do. */
async function serve(t: Test, adopt: (socket: net.Socket) => void): Promise<number> {
  const open = new Set<net.Socket>();
  const server = net.createServer({ pauseOnConnect: true, noDelay: true }, adopt);
  server.on('connection', (socket) => open.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

async function client(t: Test, port: number, options: Partial<net.SocketConstructorOpts> = {}): Promise<net.Socket> {
  const socket = net.connect({ host: '127.0.0.1', port, ...options });
  t.teardown(() => socket.destroy());
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

/** The next time that something is so, asked whenever the event loop comes round. */
async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

t.test('canary: Node lets an accepted socket be adopted by its handle', async (t) => {
  const owner = { ...NOTHING };
  const seen: string[] = [];
  let adopted: Channel | null = null;
  let original: net.Socket | null = null;
  owner.onData = (chunk) => {
    seen.push(chunk.toString());
    adopted?.writeBorrowed(chunk, 0, chunk.length);
  };
  const port = await serve(t, (socket) => {
    original = socket;
    adopted = Channel.adopt(socket, owner);
  });
  const socket = await client(t, port);
  // Sent before the server has adopted it: none of it may be lost.
  socket.write('at once');
  const echoed: Buffer[] = [];
  socket.on('data', (chunk) => echoed.push(chunk));
  await until(() => Buffer.concat(echoed).length === 7, 'the echo');
  t.equal(seen.join(''), 'at once');
  const channel = adopted as Channel | null;
  const accepted = original as net.Socket | null;
  t.not(channel?.socket, accepted, 'it is another socket, over the same handle');
  t.equal((accepted as unknown as { _handle: unknown })._handle, null);
  t.equal(channel?.socket.remotePort, socket.localPort);
  t.equal(channel?.socket.listenerCount('data'), 0, 'chunks come by onread, not by events');
});

t.test('the accepted socket that was left behind may be thrown away', async (t) => {
  let adopted: Channel | null = null;
  const port = await serve(t, (socket) => {
    adopted = Channel.adopt(socket, NOTHING);
    socket.destroy();
  });
  const socket = await client(t, port);
  await until(() => adopted !== null, 'the adoption');
  const got = new Promise((resolve) => socket.once('data', resolve));
  (adopted as Channel | null)?.writeOwned(Buffer.from('still here'));
  t.equal(String(await got), 'still here');
});

t.test('the end of the peer is told once; nothing is told after destroy', async (t) => {
  const closed: (Error | null)[] = [];
  const channels: Channel[] = [];
  const port = await serve(t, (socket) => {
    channels.push(Channel.adopt(socket, { ...NOTHING, onClosed: (error) => closed.push(error) }));
  });
  (await client(t, port)).end();
  await until(() => closed.length > 0, 'the end');
  (await client(t, port)).resetAndDestroy();
  await until(() => closed.length > 1, 'the reset');
  t.equal(closed[0], null);
  t.match(closed[1], { code: 'ECONNRESET' });
  const third = await client(t, port);
  await until(() => channels.length === 3, 'the third');
  channels[2]?.destroy();
  await new Promise((resolve) => third.once('close', resolve).resume());
  t.equal(closed.length, 2);
  t.ok(channels.every((channel) => channel.closed));
});

t.test('end sends what waits, however slow the reader', async (t) => {
  const bytes = Buffer.alloc(4_000_000, 'x');
  const port = await serve(t, (socket) => {
    const channel = Channel.adopt(socket, NOTHING);
    channel.writeOwned(bytes);
    channel.end();
    channel.writeOwned(Buffer.from('dropped'));
  });
  const socket = await client(t, port);
  let got = 0;
  socket.on('data', (chunk) => {
    got += chunk.length;
    socket.pause();
    setImmediate(() => socket.resume());
  });
  await new Promise((resolve) => socket.once('end', resolve));
  t.equal(got, bytes.length);
});

t.test('paused: nothing is read, and the peer is held back', async (t) => {
  let channel: Channel | null = null;
  let got = 0;
  const port = await serve(t, (socket) => {
    channel = Channel.adopt(socket, {
      ...NOTHING,
      onData: (chunk) => {
        got += chunk.length;
        channel?.pause();
      },
    });
  });
  const socket = await client(t, port);
  const total = 20_000_000;
  socket.write(Buffer.alloc(total));
  await until(() => channel?.paused === true && got > 0, 'the first chunk');
  while (got < total) {
    const before = got;
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    if (got !== before) t.fail('read while paused');
    (channel as unknown as Channel).resume();
    await until(() => got > before, 'the next chunk');
    if (got - before > 65_536) t.fail(`${got - before} bytes at once`);
  }
  t.equal(got, total);
  t.ok(socket.bytesWritten === total);
});

t.test('congested until the reader has read; then the producer is told', async (t) => {
  let channel: Channel | null = null;
  let drains = 0;
  const port = await serve(t, (socket) => {
    channel = Channel.adopt(socket, { ...NOTHING, onDrain: () => drains++ });
  });
  const socket = await client(t, port);
  socket.pause();
  await until(() => channel !== null, 'the connection');
  const writer = channel as unknown as Channel;
  t.notOk(writer.congested);
  let written = 0;
  while (!writer.congested) {
    writer.writeOwned(Buffer.alloc(65_536));
    written += 65_536;
  }
  t.equal(drains, 0);
  let got = 0;
  socket.on('data', (chunk) => {
    got += chunk.length;
  });
  socket.resume();
  await until(() => got === written && drains > 0, 'the drain');
  t.equal(drains, 1);
  t.notOk(writer.congested);
});

t.test('a small write tells of no drain', async (t) => {
  let drains = 0;
  let channel: Channel | null = null;
  const port = await serve(t, (socket) => {
    channel = Channel.adopt(socket, { ...NOTHING, onDrain: () => drains++ });
  });
  const socket = await client(t, port);
  const got = new Promise((resolve) => socket.once('data', resolve));
  await until(() => channel !== null, 'the connection');
  (channel as unknown as Channel).writeOwned(Buffer.from('x'));
  await got;
  t.equal(drains, 0);
});

/**
 * What a relay does with what it reads, in both ways that the buffers' contract allows. Bytes that were overwritten
 * while they were being sent would come out as others: this is the proof that none are.
 */
function relay(from: net.Socket, toPort: number, channels: Channel[]): void {
  let upstream: Channel | null = null;
  const down: Channel = Channel.adopt(from, {
    onData: (chunk) => upstream?.writeBorrowed(chunk, 0, chunk.length),
    onDrain: () => upstream?.resume(),
    onClosed: () => upstream?.end(),
  });
  upstream = Channel.connect(
    '127.0.0.1',
    toPort,
    {
      onData: (chunk, owned) => {
        if (owned) down.writeOwned(chunk);
        else down.writeBorrowed(chunk, 0, chunk.length);
        if (down.congested) upstream?.pause();
      },
      onDrain: () => down.resume(),
      onClosed: () => down.end(),
    },
    () => undefined,
  );
  channels.push(down, upstream);
}

t.test('checksums: streams through a relay arrive as they were sent, to fast and to slow readers', async (t) => {
  const SIZE = 24_000_000;
  const sums: string[] = [];
  const source = await serve(t, (socket) => {
    const at = sums.length;
    sums.push('');
    sums[at] = produce(socket, at, SIZE);
  });
  const channels: Channel[] = [];
  const port = await serve(t, (socket) => relay(socket, source, channels));
  const results = await Promise.all(
    [0, 0, 1, 3, 8].map(async (slowness) => {
      const socket = await client(t, port);
      const hash = createHash('sha1');
      let got = 0;
      let reads = 0;
      socket.on('data', (chunk) => {
        hash.update(chunk);
        got += chunk.length;
        if (slowness === 0 || ++reads % (10 - slowness) !== 0) return;
        socket.pause();
        setTimeout(() => socket.resume(), 1);
      });
      await new Promise((resolve) => socket.once('end', resolve));
      return { got, sum: hash.digest('hex') };
    }),
  );
  for (const { got, sum } of results) {
    t.equal(got, SIZE);
    t.ok(sums.includes(sum), 'a stream that was sent');
  }
  t.equal(new Set(results.map(({ sum }) => sum)).size, sums.length, 'each reader has had its own');
});

/** Sends `size` bytes that differ at every place and by `seed`; gives their checksum. */
function produce(socket: net.Socket, seed: number, size: number): string {
  const hash = createHash('sha1');
  const blocks: Buffer[] = [];
  for (let at = 0; at < size; ) {
    // Long and short writes in turn.
    const length = Math.min(size - at, at % 7 === 0 ? 1000 : 100_000);
    const block = Buffer.allocUnsafe(length);
    for (let i = 0; i + 4 <= length; i += 4) block.writeUInt32LE((at + i + seed * 0x9e3779b1) >>> 0, i);
    hash.update(block);
    blocks.push(block);
    at += length;
  }
  const next = (): void => {
    for (let block = blocks.shift(); block !== undefined; block = blocks.shift()) {
      if (!socket.write(block)) {
        socket.once('drain', next);
        return;
      }
    }
    socket.end();
  };
  next();
  return hash.digest('hex');
}

t.test('stable copies never change, small or large', async (t) => {
  const source = Buffer.alloc(600_000);
  const copies: [Buffer, number][] = [];
  let seed = 1;
  for (let i = 0; i < 2000; i++) {
    seed = (seed * 48271) % 0x7fffffff;
    const length = i % 50 === 0 ? seed % 100_000 : seed % 300;
    const start = seed % 1000;
    source.fill(i % 251, start, start + length);
    copies.push([stableCopy(source, start, start + length), length]);
    source.fill(0xff, start, start + length);
  }
  copies.forEach(([copy, length], i) => {
    if (copy.length !== length || !copy.every((byte) => byte === i % 251)) t.fail(`copy ${i} has changed`);
  });
  t.pass('all as they were');
});
