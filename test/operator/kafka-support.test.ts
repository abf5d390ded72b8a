import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import t from 'tap';
import { startKafka } from '../support/kafka.js';

const { kafka, missing } = await startKafka({ own: true });

t.test(
  'what a broker was given survives its kill and restart on the same port',
  { skip: missing ?? false },
  async (t) => {
    if (kafka === null) return;
    const topic = await kafka.topic('kept');
    const producer = kafka.client().producer();
    await producer.connect();
    const send = (value: string) => producer.send({ topic, acks: -1, messages: [{ key: 'k', value }] });
    await send('one');
    const { brokers } = kafka;
    await kafka.kill();
    await t.rejects(connect(brokers), /ECONNREFUSED/);
    await kafka.restart();
    t.same(kafka.brokers, brokers);
    await send('two');
    await kafka.stop();
    await kafka.restart();
    await send('three');
    await producer.disconnect();
    const messages = await kafka.read(topic, 3);
    t.same(
      messages.map(({ value }) => String(value)),
      ['one', 'two', 'three'],
    );
    await t.rejects(kafka.read(topic, 4, 1_000), /3 of 4 messages/);
  },
);

t.test('the broker of KAFKA_BROKERS is used, and nobody breaks it', { skip: missing ?? false }, async (t) => {
  if (kafka === null) return;
  const before = process.env.KAFKA_BROKERS ?? '';
  t.teardown(() => {
    process.env.KAFKA_BROKERS = before;
  });
  process.env.KAFKA_BROKERS = kafka.brokers.join();
  const given = await startKafka();
  t.equal(given.kafka?.from, 'KAFKA_BROKERS');
  t.same(given.kafka?.brokers, kafka.brokers);
  for (const end of ['stop', 'kill', 'restart'] as const)
    await t.rejects(async () => given.kafka?.[end](), /not the test’s own/);
});

/** Without a second try. */
async function connect(brokers: readonly string[]): Promise<void> {
  const client = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry: { retries: 0 } });
  await client.admin().connect();
}

/** Runs a program that starts a broker and waits. */
function program(env: Record<string, string>): ReturnType<typeof spawn> {
  const support = new URL('../support/kafka.js', import.meta.url).href;
  const script = `
    const { startKafka } = await import(${JSON.stringify(support)});
    const { kafka, missing } = await startKafka({ own: true });
    console.log(missing ?? kafka.brokers[0]);
    if (missing === null) setInterval(() => {}, 1000);`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
}

const firstLine = async (stream: NodeJS.ReadableStream | null): Promise<string> => {
  for await (const data of stream ?? []) return String(data).trim();
  return '';
};

const text = async (stream: NodeJS.ReadableStream | null): Promise<string> => {
  let all = '';
  for await (const data of stream ?? []) all += String(data);
  return all;
};

t.test(
  'two that start at once fetch the libraries once; killed, they leave no broker',
  { skip: missing ?? false },
  async (t) => {
    if (kafka?.from !== 'java') {
      t.pass('the container runtime sees to it');
      return;
    }
    const folder = mkdtempSync(path.join(tmpdir(), 'pgfig-test-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const programs = [program({ TMPDIR: folder }), program({ TMPDIR: folder })];
    const brokers = await Promise.all(programs.map(({ stdout }) => firstLine(stdout)));
    t.match(brokers, [/^127\.0\.0\.1:\d+$/, /^127\.0\.0\.1:\d+$/]);
    const left = (): string[] => readdirSync(folder).filter((name) => name.startsWith('pgfig-kafka-'));
    t.equal(left().filter((name) => name.startsWith('pgfig-kafka-node-')).length, 2);
    t.equal(left().length, 3, 'one folder of libraries, no lock, nothing half done');
    for (const child of programs) child.kill('SIGKILL');
    while (left().length > 1) await new Promise((resolve) => setTimeout(resolve, 20));
    for (const broker of brokers) await t.rejects(connect([broker]), /ECONNREFUSED/);
  },
);

t.test('without any of the ways there is a reason, and in CI an error', async (t) => {
  const nothing = { PATH: '/nonexistent', KAFKA_BROKERS: '', DOCKER_HOST: 'tcp://127.0.0.1:1', CI: '' };
  const child = program(nothing);
  t.match(await text(child.stdout), /^no Kafka: KAFKA_BROKERS is not set; no container \(.*\); no Java \(.*ENOENT\)/);
  const ci = program({ ...nothing, CI: 'true' });
  t.match(await text(ci.stderr), /Error: no Kafka: KAFKA_BROKERS is not set/);
});
