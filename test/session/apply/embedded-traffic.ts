import { randomBytes } from 'node:crypto';
import net from 'node:net';
import path from 'node:path';
import { readCatalog } from '../../../src/backend/catalog.js';
import { loadConfig } from '../../../src/config/load.js';
import type { TurnOutcome } from '../../../src/mirror/turn-outcome.js';
import { readRules } from '../../../src/rules/load.js';
import type { TurnRequests } from '../../../src/session/apply/turns.js';
import { WorkerTraffic } from '../../../src/session/worker-traffic.js';
import { type PgfigOptions, writeConfig } from '../../support/pgfig.js';
import { onTeardown } from '../../support/teardown.js';

interface Request {
  readonly id: number;
  readonly domains: readonly string[];
}

/** Stands in the control process's place: answers when the test says so. */
export class FakeRelays implements TurnRequests {
  /** Not answered yet. */
  readonly open: Request[] = [];
  /** Domains, in the order in which they were asked for. */
  readonly asked: string[] = [];
  readonly poked: string[] = [];
  traffic: WorkerTraffic | null = null;
  #waiting: (() => void)[] = [];

  sync(id: number, domains: readonly string[]): void {
    this.open.push({ id, domains });
    this.asked.push(...domains);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  poke(domains: readonly string[]): void {
    this.poked.push(...domains);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when it is so; looks again at every message. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** The oldest request that is open, once there is one. */
  async request(): Promise<Request> {
    await this.until(() => this.open.length > 0);
    return this.open[0] as Request;
  }

  /** Answers the oldest request. */
  answer(outcome: TurnOutcome = 'applied'): void {
    const request = this.open.shift();
    if (request !== undefined) this.traffic?.turnOver(request.id, outcome);
  }

  forget(): void {
    this.open.length = 0;
    this.asked.length = 0;
    this.poked.length = 0;
  }
}

export interface EmbeddedTraffic {
  readonly host: string;
  readonly port: number;
  readonly relays: FakeRelays;
  readonly traffic: WorkerTraffic;
}

/** The traffic of one worker in the test's own process, with a fake in the control process's place. */
export async function embedTraffic(options: PgfigOptions): Promise<EmbeddedTraffic> {
  const file = await writeConfig(options, { listen: 1, admin: 2 });
  const config = loadConfig(file);
  const { rules } = readRules(path.join(path.dirname(file), 'routing-rules'), {
    databases: config.databases.keys(),
    default: config.default,
    version: 1,
  });
  const relays = new FakeRelays();
  const nothing = (): void => undefined;
  const traffic = new WorkerTraffic({
    config,
    workerId: 1,
    rules,
    catalog: await readCatalog(config),
    authKey: randomBytes(32),
    authQuery: null,
    events: {
      sessionOpened: nothing,
      sessionClosed: nothing,
      authFailed: nothing,
      refused: nothing,
      backendFailed: nothing,
      ddlSeen: nothing,
      warning: (text, fields) => {
        throw new Error(`${text}: ${JSON.stringify(fields)}`);
      },
    },
    trace: false,
    console: { serverVersion: '18', read: () => [], run: async () => ({ rows: [], notices: [] }) },
    relays,
    catalogAfterDdl: async () => true,
    forwardCancel: async () => undefined,
  });
  relays.traffic = traffic;
  const server = net.createServer({ pauseOnConnect: true, noDelay: true }, (socket) => traffic.accept(socket));
  await onTeardown(async () => {
    traffic.close();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { host: '127.0.0.1', port: (server.address() as net.AddressInfo).port, relays, traffic };
}
