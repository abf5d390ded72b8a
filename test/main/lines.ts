import net from 'node:net';
import type { Test } from 'tap';
import { LineClient, Served } from './served.js';

/** What the tests with line sessions (fake-worker.ts) share. */
export const yaml = (more = '', admin = ''): string => `
listen: { host: 127.0.0.1, port: 0, workers: 2 }
admin: { host: 127.0.0.1, port: 0${admin} }
databases:
  monolith: { url: "postgres://nobody@127.0.0.1:1/shop" }
  orders_db: { url: "postgres://nobody@127.0.0.1:1/orders" }
${more}`;
/** Its tables may change while pgfig runs: no write moves. */
export const ORDERS = 'domain: orders\ndatabase: orders_db\ntables: [public.orders]\nphase: monolith\n';

export async function served(
  t: Test,
  config = yaml(),
  rules: Record<string, string> = { 'orders.yaml': ORDERS },
): Promise<Served> {
  const pgfig = new Served(config, rules);
  t.teardown(() => pgfig.remove());
  t.equal(await pgfig.start(), null, `it starts: ${pgfig.errors}`);
  return pgfig;
}

/** Round robin gives two connections in a row to two workers. */
export async function onBothWorkers(t: Test, port: number): Promise<[LineClient, LineClient]> {
  const [a, b] = [await LineClient.open(port), await LineClient.open(port)];
  t.teardown(() => {
    for (const client of [a, b]) client.close();
  });
  t.not((await a.who()).worker, (await b.who()).worker, 'two workers');
  return [a, b];
}

export const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** null while somebody listens there. */
export function refused(port: number): Promise<true | null> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => resolve(true));
    socket.on('connect', () => {
      socket.destroy();
      resolve(null);
    });
  });
}
