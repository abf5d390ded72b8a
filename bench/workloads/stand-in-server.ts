/**
 * A process that logs in sessions like a Postgres server and then answers every query with nothing, so that thousands
 * of idle sessions can be held without thousands of server processes. Connections of any user but `idle` are passed on
 * to the real server: a proxy reads its catalog there. Prints its port. Started by idle.ts.
 */
import net from 'node:net';
import { message } from './wire-client.js';

const realPort = Number(process.argv[2]);
const SSL_REQUEST = 80877103;
const GSSENC_REQUEST = 80877104;
const STARTUP_HEADER = 8;

const parameter = (name: string, value: string): Buffer => message('S', `${name}\0${value}\0`);
const READY = message('Z', 'I');
const WELCOME = Buffer.concat([
  message('R', Buffer.alloc(4)),
  parameter('server_version', '18.0'),
  parameter('server_encoding', 'UTF8'),
  parameter('client_encoding', 'UTF8'),
  parameter('DateStyle', 'ISO, MDY'),
  parameter('integer_datetimes', 'on'),
  parameter('standard_conforming_strings', 'on'),
  parameter('TimeZone', 'UTC'),
  message('K', Buffer.alloc(8, 1)),
  READY,
]);
/** Frontend message type -> answer. What is not here has none (Flush), or ends the session (Terminate). */
const ANSWERS: Readonly<Record<string, Buffer>> = {
  Q: Buffer.concat([message('I', ''), READY]),
  P: message('1', ''),
  B: message('2', ''),
  D: message('n', ''),
  E: message('I', ''),
  C: message('3', ''),
  S: READY,
};

const server = net.createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.once('data', (first: Buffer) => start(socket, first));
});
server.listen(0, '127.0.0.1', 4096, () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address !== null ? address.port : 0}\n`);
});
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));

/** Clients on loopback send the startup packet in one piece. */
function start(socket: net.Socket, first: Buffer): void {
  const code = first.length >= STARTUP_HEADER ? first.readInt32BE(4) : 0;
  if (code === SSL_REQUEST || code === GSSENC_REQUEST) {
    socket.write('N');
    socket.once('data', (next: Buffer) => start(socket, next));
    return;
  }
  if (!first.includes('user\0idle\0')) return passOn(socket, first);
  socket.write(WELCOME);
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = answer(socket, rest.length === 0 ? chunk : Buffer.concat([rest, chunk]));
  });
}

/** @returns the bytes of a message that is not whole yet */
function answer(socket: net.Socket, bytes: Buffer): Buffer {
  let at = 0;
  while (at + 5 <= bytes.length && at + 1 + bytes.readInt32BE(at + 1) <= bytes.length) {
    const type = String.fromCharCode(bytes[at] ?? 0);
    if (type === 'X') socket.end();
    else socket.write(ANSWERS[type] ?? '');
    at += 1 + bytes.readInt32BE(at + 1);
  }
  return bytes.subarray(at);
}

function passOn(socket: net.Socket, first: Buffer): void {
  const real = net.connect({ host: '127.0.0.1', port: realPort, noDelay: true });
  real.on('error', () => socket.destroy());
  real.on('close', () => socket.destroy());
  socket.on('close', () => real.destroy());
  real.write(first);
  socket.pipe(real).pipe(socket);
}
