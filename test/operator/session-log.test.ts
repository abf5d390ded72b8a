import { Writable } from 'node:stream';
import { pino } from 'pino';
import t from 'tap';
import { PgfigError } from '../../src/errors/pgfig-error.js';
import { sessionLog, tracePrinter } from '../../src/operator/log/session-log.js';

const session = {
  id: 3,
  pid: 1_075_838_979,
  user: 'ann',
  database: 'shop',
  service: 'order-service',
  peer: '127.0.0.1:4711',
  tls: true,
};

function opened() {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  return { lines, events: sessionLog(pino({ level: 'info' }, stream)) };
}

t.test('one line for each event, with the session in it', async (t) => {
  const { lines, events } = opened();
  events.sessionOpened(session);
  events.refused(session, new PgfigError('NO_COMMON_HOME', 'public.users is in monolith, public.orders in orders_db'));
  events.sessionClosed(session, 'client left');
  events.authFailed({ user: 'eve', peer: '127.0.0.1:4712', reason: 'wrong password' });
  events.backendFailed('orders_db', Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
  events.warning('a link was lost', { database: 'orders_db' });
  const of = { session: 3, user: 'ann', database: 'shop', service: 'order-service', peer: '127.0.0.1:4711', tls: true };
  t.match(lines, [
    { level: 30, msg: 'session opened', ...of },
    { level: 30, msg: 'refused', ...of, code: 'NO_COMMON_HOME', sqlstate: '0A000', error: /public\.users/ },
    { level: 30, msg: 'session closed', ...of, reason: 'client left' },
    { level: 40, msg: 'authentication failed', user: 'eve', reason: 'wrong password' },
    { level: 40, msg: 'backend failed', database: 'orders_db', code: 'ECONNREFUSED' },
    { level: 40, msg: 'a link was lost', database: 'orders_db' },
  ]);
  t.notOk(lines[4] !== undefined && 'stack' in lines[4], 'no stack for what is not a bug');
});

t.test('a service that repeats a refused statement does not fill the log', async (t) => {
  const { lines, events } = opened();
  for (let i = 0; i < 1_000; i++) events.refused(session, new PgfigError('SECOND_WRITER', 'no'));
  t.ok(lines.length <= 20, `${lines.length} lines`);
  events.refused({ ...session, service: 'other' }, new PgfigError('SECOND_WRITER', 'no'));
  t.match(lines.at(-1), { service: 'other' }, 'others are still heard');
});

t.test('many wrong passwords from one machine are one flood, whatever the ports', async (t) => {
  const { lines, events } = opened();
  for (let port = 1; port < 500; port++) events.authFailed({ user: 'eve', peer: `10.0.0.9:${port}`, reason: 'no' });
  t.ok(lines.length <= 20, `${lines.length} lines`);
});

t.test('the trace has a line for each message, in columns', async (t) => {
  const out: string[] = [];
  tracePrinter((text) => out.push(text))(3, 'F', 'client', 'F\t14\tQuery\t "SELECT 1"');
  t.match(out, [/^\d{4}-\S+Z\t3\tclient\tF\t14\tQuery\t "SELECT 1"\n$/]);
});
