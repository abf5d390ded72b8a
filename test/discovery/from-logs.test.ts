import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { hasPostgres, type PostgresVersion, startPostgres } from '../support/postgres.js';
import { cellLines, discover, pairLines } from './helpers.js';
import { CELLS, PAIRS, runTraffic } from './traffic.js';

/** Settings that log each statement in one way or another. */
const SETTINGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'before each statement': { log_statement: 'all' },
  'after each statement': { log_min_duration_statement: '0' },
  'before, and the duration after': { log_statement: 'all', log_duration: 'on' },
  'before, and with the duration where that is enough': { log_statement: 'all', log_min_duration_statement: '0' },
  'writes before, the rest after': { log_statement: 'mod', log_min_duration_statement: '0' },
};

const LOGGING = { logging_collector: 'on', log_directory: 'log', log_filename: 'server.log' };
const SECRETS = /again|no number|quoted/;

for (const version of [15, 18] satisfies PostgresVersion[]) {
  for (const [what, settings] of Object.entries(SETTINGS)) {
    t.test(`PostgreSQL ${version}, ${what}`, { skip: !hasPostgres(version) && 'not installed' }, async (t) => {
      const destination = { log_destination: 'csvlog,jsonlog', log_timezone: 'Europe/Berlin' };
      const server = await startPostgres({ version, settings: { ...LOGGING, ...destination, ...settings } });
      const began = Date.now();
      await runTraffic(server);
      await server.stop();
      const folder = path.join(server.dataFolder, 'log');
      const files = (await readdir(folder)).map((name) => path.join(folder, name));
      for (const kind of ['.csv', '.json']) {
        const found = await discover(files.filter((name) => name.endsWith(kind)));
        // An ended session is not told of where its statement was not logged before.
        const cells = cellLines(found.matrix).filter((line) => !line.startsWith('ended'));
        t.same(cells, CELLS, kind);
        t.same(pairLines(found.matrix), PAIRS, kind);
        t.match(found.notes.join('\n'), /\d+ statements were sent to the database other and are left out/, kind);
        t.match(found.notes.join('\n'), /\d+ statements of pgfig itself are left out/, kind);
        t.match(found.notes.join('\n'), /2 texts with a syntax error never ran/, kind);
        t.ok((found.since ?? 0) > began - 60_000 && (found.until ?? 0) <= Date.now(), 'in the zone of the log');
        for (const { first, last, database } of found.matrix.cells) {
          t.ok(first <= last && first >= (found.since ?? 0) && last <= (found.until ?? 0), 'by the log’s times');
          t.equal(database, 'monolith');
        }
        const timed = found.matrix.cells.some(({ seconds }) => seconds > 0);
        t.equal(timed, what !== 'before each statement', 'durations');
        t.notMatch(JSON.stringify(found.matrix), SECRETS, 'no data');
        t.ok(SECRETS.test((await readFile(files[0] ?? '')).toString()), 'which the log has');
      }
      await server.remove();
    });
  }
}
