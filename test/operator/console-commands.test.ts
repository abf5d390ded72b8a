import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import type { PgfigError } from '../../src/errors/pgfig-error.js';
import { readCommands } from '../../src/operator/console/commands.js';
import { runCommand } from '../../src/operator/console/run-command.js';
import type { ConsoleSource } from '../../src/operator/console/show.js';
import { configRows } from '../../src/operator/console/show-config.js';
import { MOST_ROWS } from '../../src/operator/console/show-traffic.js';
import { splitCommands } from '../../src/operator/console/split-commands.js';
import { folderWith } from '../config/folder.js';

const names = (text: string): string[] => readCommands(text).map(({ name }) => name);

t.test('commands are read in any case, with comments, blanks and semicolons', async (t) => {
  t.same(names('SHOW RULES'), ['SHOW RULES']);
  t.same(names('  show\n\trules ;  '), ['SHOW RULES']);
  t.same(names('/* who; is there */ Show -- all; of them\n Clients;;RELOAD'), ['SHOW CLIENTS', 'RELOAD']);
  t.same(names(''), []);
  t.same(names(' ; -- nothing\n; /* nor here'), []);
  t.same(
    splitCommands(`a 'x;''y' ; b ";" c /* ; */; 'open;`).map(({ text }) => text),
    [`a 'x;''y'`, `b ";" c`, `'open;`],
  );
});

t.test('what is no command is refused, with what would help', async (t) => {
  const refusal = (text: string): PgfigError => {
    try {
      readCommands(text);
    } catch (error) {
      return error as PgfigError;
    }
    throw new Error(`${text} was taken`);
  };
  for (const text of ['SHOW', 'SHOW NOTHING', 'SHOW RULES orders', 'PAUSE', 'RELOAD x', "'SHOW RULES'", '$1']) {
    t.match(refusal(text), { code: 'UNKNOWN_COMMAND', sqlstate: '42601', hint: /SHOW HELP/ }, text);
  }
  t.match(refusal('begin').hint, /autocommit.*SHOW HELP/);
  t.match(refusal('select * from orders').hint, /connect to another database.*SHOW HELP/);
  t.match(refusal(`x${'y'.repeat(500)}`).message, /xy{59}\.\.\."$/);
  t.match(refusal('SHOW RULES; SHOW NOTHING').message, /SHOW NOTHING/);
});

t.test('SHOW CONFIG shows all keys and no secret', async (t) => {
  const folder = folderWith(t, {
    'users.txt': '"a" "b"\n',
    'p.yaml': `
databases:
  monolith: { url: "postgres://bob:hunter2@[::1]/shop?sslmode=require" }
  socket: { url: "postgres:///orders?host=/run/pg&user=ann&password=hunter2" }
default: monolith
admin: { token: hunter2, users: [ann, bob] }
homes: { order-service: socket }
auth: { users: users.txt }
control: { url: "postgres://pgfig:hunter2@127.0.0.1/shop" }
limits: { authTimeout: 5s }
`,
  });
  const rows = new Map(configRows(loadConfig(join(folder, 'p.yaml'), {})).map(({ key, value }) => [key, value]));
  t.notMatch(JSON.stringify([...rows]), /hunter2/);
  t.match(Object.fromEntries(rows), {
    file: join(folder, 'p.yaml'),
    'databases.monolith.url': 'postgres://bob@[::1]:5432/shop?sslmode=require',
    'databases.socket.url': 'postgres://ann@/orders?host=/run/pg&port=5432&sslmode=prefer',
    'homes.order-service': 'socket',
    'listen.port': '6432',
    'listen.tls': null,
    'admin.token': '(hidden)',
    'admin.users': 'ann, bob',
    'control.url': 'postgres://pgfig@127.0.0.1:5432/shop?sslmode=prefer',
    'limits.authTimeout': '5000ms',
    kafka: null,
  });
});

t.test('an answer has an end', async (t) => {
  const session = { pid: 1, user: 'ann', service: 's', database: 'shop', peer: 'p', tls: false, home: 'm', worker: 1 };
  const asked: number[] = [];
  const source = {
    sessions: async (most: number) => {
      asked.push(most);
      return Array.from({ length: most }, (_, i) => ({ ...session, state: 'idle', openedAt: most - i }));
    },
  } as unknown as ConsoleSource;
  const { rows, notices } = await runCommand(source, 'SHOW CLIENTS');
  t.same(asked, [MOST_ROWS + 1]);
  t.equal(rows.length, MOST_ROWS);
  t.equal(rows[0]?.at(-1), 1, 'the oldest first');
  t.match(notices, [{ severity: 'WARNING', message: /more rows/ }]);
});
