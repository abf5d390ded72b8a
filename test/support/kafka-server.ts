import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../src/embedded/postgres-server.js';
import { guard } from './guard.js';
import type { BrokerControl } from './kafka.js';

const run = promisify(execFile);
const START_DEADLINE_MS = 60_000;
const START_TRIES = 3;
/** Longer than a broker takes to shut down in good order; then it is killed. */
const STOP_DEADLINE_MS = 15_000;
const POLL_MS = 50;
/** A small heap, and a start that is quick rather than code that is. */
const JAVA = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];

/** What the second listener asks of clients, and shows them. */
export interface SecureListener {
  /** Paths of PEM files: the broker's certificate and key, and who signs the clients'. */
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly user: string;
  readonly password: string;
}

type Answers = (brokers: readonly string[]) => Promise<boolean>;

/** One Kafka node, broker and controller (KRaft), as a Java process on 127.0.0.1. */
export class JavaBroker implements BrokerControl {
  readonly #libraries: string;
  readonly #folder: string;
  readonly #ports: Ports;
  readonly #answers: Answers;
  #child: ChildProcess | null = null;

  /**
   * @param libraries folder with the class path
   * @param answers whether a broker serves clients now
   * @throws Error with the end of its log where it does not start
   */
  static async start(libraries: string, secure: SecureListener | null, answers: Answers): Promise<JavaBroker> {
    for (let triesLeft = START_TRIES; ; triesLeft--) {
      const folder = await mkdtemp(path.join(tmpdir(), 'pgfig-kafka-node-'));
      const ports = { clients: await freePort(), controller: await freePort(), secure: await freePort() };
      const broker = new JavaBroker(libraries, folder, ports, answers);
      try {
        await broker.#format(secure);
        await broker.#run();
        return broker;
      } catch (error) {
        await broker.remove();
        // Somebody may have been quicker to take a port.
        if (triesLeft <= 1 || !/already in use/i.test(String(error))) throw error;
      }
    }
  }

  private constructor(libraries: string, folder: string, ports: Ports, answers: Answers) {
    this.#libraries = libraries;
    this.#folder = folder;
    this.#ports = ports;
    this.#answers = answers;
  }

  get brokers(): readonly string[] {
    return [`127.0.0.1:${this.#ports.clients}`];
  }

  get secureBrokers(): readonly string[] {
    return [`127.0.0.1:${this.#ports.secure}`];
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    await exitOf(child);
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    if (this.#child === null) return;
    this.#child.kill('SIGKILL');
    await exitOf(this.#child);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.#run();
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #java(main: string, ...args: string[]): string[] {
    const log4j = `-Dlog4j.configuration=file:${path.join(this.#folder, 'log4j.properties')}`;
    return [...JAVA, log4j, '-cp', path.join(this.#libraries, '*'), main, ...args];
  }

  async #format(secure: SecureListener | null): Promise<void> {
    await writeFile(path.join(this.#folder, 'log4j.properties'), LOG4J);
    const properties = await this.#properties(secure);
    const file = path.join(this.#folder, 'server.properties');
    const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`);
    await writeFile(file, lines.join(''), { mode: 0o600 });
    // One that began with a minus would be read as an option.
    const id = `p${randomBytes(16).toString('base64url').slice(1)}`;
    const users =
      secure === null
        ? []
        : SCRAM.flatMap((name) => ['-S', `${name}=[name=${secure.user},password=${secure.password}]`]);
    await run('java', this.#java('kafka.tools.StorageTool', 'format', '-t', id, '-c', file, ...users));
  }

  async #properties(secure: SecureListener | null): Promise<Record<string, string>> {
    const plain = plainProperties(path.join(this.#folder, 'data'), this.#ports);
    if (secure === null) return plain;
    const store = path.join(this.#folder, 'broker.pem');
    await writeFile(store, (await readFile(secure.key, 'utf8')) + (await readFile(secure.cert, 'utf8')), {
      mode: 0o600,
    });
    return { ...plain, ...secureProperties(plain, this.#ports, secure, store) };
  }

  async #run(): Promise<void> {
    const log = path.join(this.#folder, 'kafka.log');
    const output = openSync(log, 'a');
    const args = this.#java('kafka.Kafka', path.join(this.#folder, 'server.properties'));
    const child = spawn('java', args, { stdio: ['ignore', output, output] });
    this.#child = child;
    guard(child, this.#folder);
    child.once('exit', () => {
      if (this.#child === child) this.#child = null;
    });
    const deadline = Date.now() + START_DEADLINE_MS;
    while (!(await this.#answers(this.brokers))) {
      if (this.#child === null || Date.now() > deadline) {
        await this.kill();
        throw new Error(`Kafka has not started:\n${(await readFile(log, 'utf8')).slice(-4_000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

interface Ports {
  readonly clients: number;
  readonly controller: number;
  readonly secure: number;
}

const SCRAM = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

const LOG4J = `log4j.rootLogger=WARN, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %m (%c)%n
`;

const plainProperties = (data: string, ports: Ports): Record<string, string> => ({
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
  'controller.listener.names': 'CONTROLLER',
  listeners: `PLAINTEXT://127.0.0.1:${ports.clients},CONTROLLER://127.0.0.1:${ports.controller}`,
  'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports.clients}`,
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'log.dirs': data,
  'num.network.threads': '2',
  'num.io.threads': '4',
  'offsets.topic.num.partitions': '1',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.num.partitions': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
  // A broker that was killed is registered anew only when its old session is over.
  'broker.heartbeat.interval.ms': '200',
  'broker.session.timeout.ms': '1000',
  // Half of the heap, unless told.
  'log.cleaner.dedupe.buffer.size': '2097152',
});

const secureProperties = (
  plain: Readonly<Record<string, string>>,
  ports: Ports,
  { ca, user, password }: SecureListener,
  store: string,
): Record<string, string> => {
  const own = 'listener.name.secure';
  const plainLogin = 'org.apache.kafka.common.security.plain.PlainLoginModule';
  const scramLogin = 'org.apache.kafka.common.security.scram.ScramLoginModule';
  const address = `SECURE://127.0.0.1:${ports.secure}`;
  return {
    listeners: `${plain.listeners},${address}`,
    'advertised.listeners': `${plain['advertised.listeners']},${address}`,
    'listener.security.protocol.map': `${plain['listener.security.protocol.map']},SECURE:SASL_SSL`,
    [`${own}.ssl.keystore.type`]: 'PEM',
    [`${own}.ssl.keystore.location`]: store,
    [`${own}.ssl.truststore.type`]: 'PEM',
    [`${own}.ssl.truststore.location`]: ca,
    [`${own}.ssl.client.auth`]: 'required',
    [`${own}.sasl.enabled.mechanisms`]: ['PLAIN', ...SCRAM].join(),
    [`${own}.plain.sasl.jaas.config`]: `${plainLogin} required user_${user}="${password}";`,
    ...Object.fromEntries(
      SCRAM.map((name) => [`${own}.${name.toLowerCase()}.sasl.jaas.config`, `${scramLogin} required;`]),
    ),
  };
};

function exitOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}
