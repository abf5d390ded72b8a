/**
 * A process that opens many connections, says `open` when all are logged in, and holds them until its stdin ends.
 * Started by idle.ts.
 */
import { type Login, login, type WireClient } from './wire-client.js';

const [host = '', port = '', user = '', database = '', wanted = '0'] = process.argv.slice(2);
const to: Login = { host, port: Number(port), user, database };
const AT_ONCE = 50;
/** All answers are thrown away, so one buffer does for all. */
const buffer = Buffer.allocUnsafeSlow(4096);
const clients: WireClient[] = [];

async function openSome(): Promise<void> {
  while (clients.length < Number(wanted)) {
    const at = clients.length;
    const opening = Array.from({ length: Math.min(AT_ONCE, Number(wanted) - at) }, () => login(to, buffer, 60_000));
    clients.push(...(await Promise.all(opening)));
  }
}

await openSome();
process.stdout.write('open\n');
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
