import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { AccessLog, openAccessLog } from '../../src/operator/access-log/access-log.js';
import { recordLine } from '../../src/operator/access-log/record-line.js';
import { Sampling } from '../../src/operator/access-log/sampling.js';
import type { Sink } from '../../src/operator/access-log/sink.js';
import { folderWith } from '../config/folder.js';
import { logLines } from './log-lines.js';
import { recordOf } from './statement-records.js';

t.test('a line has all fields, always in the same order', async (t) => {
  t.equal(
    recordLine(recordOf(), 2),
    '{"time":"2026-01-05T09:00:00.123Z","worker":2,"session":3,"service":"order-service","user":"orders","database":"orders_db","domain":"orders","kind":"select","reads":["public.order_items","public.orders"],"writes":[],"reason":"all tables are at home in orders_db","rows":7,"bytes":812,"duration_ms":1.235,"error":null,"fingerprint":"0123456789abcdef"}',
  );
  const refused = recordLine(recordOf({ database: '', domain: null, error: '0A000', service: 'a "b"\n' }), 1);
  t.notMatch(refused, /\n/, 'one line, whatever the names');
  t.match(JSON.parse(refused), { database: null, domain: null, error: '0A000', service: 'a "b"\n' });
});

t.test('the sampling takes the share of each service', async (t) => {
  const sampling = new Sampling({ sample: 50, services: { all: 100, none: 0, few: 2.5 } });
  const shareOf = (service: string): number => {
    let taken = 0;
    for (let i = 0; i < 20_000; i++) if (sampling.wants(service)) taken++;
    return taken / 20_000;
  };
  t.equal(shareOf('all'), 1);
  t.equal(shareOf('none'), 0);
  // Six standard deviations: wrong once in 500 million runs.
  t.ok(Math.abs(shareOf('few') - 0.025) < 0.007);
  t.ok(Math.abs(shareOf('another') - 0.5) < 0.022);
  t.ok(Math.abs(shareOf('constructor') - 0.5) < 0.022, 'a name that every object has');
  const everything = new Sampling({ sample: 100, services: {} });
  t.ok(everything.wants('a'));
});

/** A sink that keeps what it is given, up to a bound. */
class Kept implements Sink {
  readonly name: 'file' | 'kafka';
  readonly lines: string[] = [];
  readonly #most: number;
  dropped = 0;
  failures = 0;
  waiting = 0;
  closed = 0;

  constructor(name: 'file' | 'kafka', most: number) {
    this.name = name;
    this.#most = most;
  }

  get full(): boolean {
    return this.lines.length >= this.#most;
  }

  get written(): number {
    return this.lines.length;
  }

  offer(line: string, service: string): void {
    if (this.full) this.dropped++;
    else this.lines.push(`${service}: ${line}`);
  }

  async close(): Promise<void> {
    this.closed++;
  }
}

t.test('every sink gets every record, and one that is full does not keep it from the other', async (t) => {
  const file = new Kept('file', 1);
  const kafka = new Kept('kafka', 2);
  const log = new AccessLog({ sample: 100, services: {} }, 4, [file, kafka]);
  for (const session of [1, 2, 3]) log.write(recordOf({ session }));
  t.match(file.lines, [/^order-service: \{"time":.*"worker":4,"session":1,/]);
  t.match(kafka.lines, [/"session":1,/, /"session":2,/]);
  t.match([log.written, log.dropped], [3, 3]);
  t.match(log.metrics(), [
    {
      name: 'pgfig_access_log_records_total',
      type: 'counter',
      values: [
        { labels: { sink: 'file' }, value: 1 },
        { labels: { sink: 'kafka' }, value: 2 },
      ],
    },
    { name: 'pgfig_access_log_dropped_total', values: [{ value: 2 }, { value: 1 }] },
    { name: 'pgfig_access_log_failures_total', values: [{ value: 0 }, { value: 0 }] },
    { name: 'pgfig_access_log_waiting', type: 'gauge', values: [{ value: 0 }, { value: 0 }] },
  ]);
  await Promise.all([log.close(), log.close()]);
  t.same([file.closed, kafka.closed], [1, 1], 'closed once');
});

t.test('as configured: none, a file, a topic, or both', async (t) => {
  const open = (yaml: string) => {
    const folder = folderWith(t, { 'p.yaml': `databases: { m: { url: "postgres:///shop" } }\n${yaml}\n` });
    return openAccessLog(loadConfig(`${folder}/p.yaml`, {}), 1, logLines().log);
  };
  const sinks = (yaml: string) =>
    open(yaml)
      ?.metrics()[0]
      ?.values.map(({ labels }) => labels.sink);
  const kafka = 'kafka: { brokers: ["127.0.0.1:1"] }';
  t.equal(open(''), null);
  t.equal(open(kafka), null);
  t.same(sinks('accessLog: { file: { path: a } }'), ['file']);
  t.same(sinks(`accessLog: { kafka: { topic: a } }\n${kafka}`), ['kafka']);
  t.same(sinks(`accessLog: { file: { path: a }, kafka: { topic: a } }\n${kafka}`), ['file', 'kafka']);
  const unused = open(`accessLog: { file: { path: a }, kafka: { topic: a }, services: { b: 0% } }\n${kafka}`);
  t.equal(unused?.wants('b'), false);
  await unused?.close();
  t.equal(unused?.dropped, 0, 'nothing was opened, nothing is lost');
});
