import t from 'tap';
import { startPostgres } from '../support/postgres.js';
import { makePair, texts } from './capture-support.js';

/** Whoever owns a captured or guarded table goes on making partitions, without any right on schema pgfig. */

const SCHEMA = `
CREATE TABLE parts (id int PRIMARY KEY, note text) PARTITION BY RANGE (id);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES FROM (0) TO (10);
ALTER TABLE parts OWNER TO holder; ALTER TABLE parts_0 OWNER TO holder; GRANT CREATE ON SCHEMA public TO holder`;

for (const version of [15, 18] as const) {
  t.test(`PostgreSQL ${version}`, async (t) => {
    const server = await startPostgres({ version });
    await server.query('CREATE ROLE holder LOGIN');
    const pair = await makePair(server, server, SCHEMA, ['public.parts']);
    await pair.install();
    for (const side of ['source', 'target'] as const) {
      const holder = await pair.connect(side, 'holder');
      await holder.query(`CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (10) TO (20);
        CREATE TABLE parts_2 (LIKE parts INCLUDING ALL); ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES FROM (20) TO (30)`);
      const [{ runs } = { runs: '' }] = (
        await server.query<{ runs: string }>(
          "SELECT tgfoid::regproc::text AS runs FROM pg_trigger WHERE tgrelid = 'parts'::regclass AND tgname IN ('pgfig_capture', 'pgfig_guard')",
          side === 'source' ? pair.from : pair.to,
        )
      ).rows;
      t.match(runs, /^pgfig\./);
      await holder.query('CREATE TABLE mine (id int PRIMARY KEY)');
      await t.rejects(
        holder.query(`CREATE TRIGGER t AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION ${runs}()`),
        { code: '42501', message: /permission denied for schema pgfig/ },
        'but cannot have the function run on a table of their own',
      );
    }
    t.same(texts(await pair.recorded("INSERT INTO parts VALUES (11, 'a'), (21, 'b')")), ['I parts 11', 'I parts 21']);
    await t.rejects(server.query("INSERT INTO parts_2 VALUES (21, 'a')", pair.to), { code: 'PF002' });
  });
}
