import t from 'tap';
import { removeMirror } from '../../src/mirror/capture/remove.js';
import { mirrorStatus } from '../../src/mirror/capture/status.js';
import { capturedDomains } from '../../src/mirror/relay/abandoned.js';
import { Candidate } from '../../src/mirror/relay/lease.js';
import { relayView } from '../../src/mirror/relay/relay-view.js';
import { startPostgres } from '../support/postgres.js';
import { makePair } from './capture-support.js';

const server = await startPostgres({ version: 15 });
await server.query(
  'CREATE ROLE mallory LOGIN; CREATE ROLE pgfig_owner; CREATE ROLE pgfig_relay; CREATE ROLE app LOGIN SUPERUSER; GRANT pgfig_owner TO app',
);

const SCHEMA = 'CREATE TABLE orders (id int PRIMARY KEY)';
const FORGED = `
CREATE SCHEMA pgfig AUTHORIZATION mallory; CREATE TABLE public.stolen (by name); GRANT ALL ON public.stolen TO PUBLIC;
SET ROLE mallory;
CREATE FUNCTION public.steal() RETURNS int LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.stolen VALUES (current_user); RETURN 1; END';
CREATE VIEW pgfig.relay AS SELECT 'orders'::text AS domain, public.steal() AS mirror, ''::text AS source_system, ''::text AS source_database, 1 AS source_timeline;
CREATE VIEW pgfig.schema_version AS SELECT 'capture'::text AS part, 1 + public.steal() AS version;
CREATE VIEW pgfig.captured AS SELECT 0::oid AS table_oid, public.steal() AS mirror, ''::text AS table_name;
CREATE VIEW pgfig.mirrors AS SELECT public.steal() AS id, 'orders'::text AS domain;
CREATE VIEW pgfig.relay_tables AS SELECT 'orders'::text AS domain, 'public.orders'::text AS table_name, 'in-step'::text AS state, public.steal()::text AS reason;
CREATE TABLE pgfig.outbox (id int);
GRANT USAGE ON SCHEMA pgfig TO pgfig_relay; GRANT SELECT ON ALL TABLES IN SCHEMA pgfig TO pgfig_relay;
RESET ROLE`;

for (const side of ['source', 'target'] as const) {
  t.test(`a schema that somebody else has prepared in the ${side} is refused unread`, async (t) => {
    const pair = await makePair(server, server, SCHEMA, ['public.orders']);
    const dbname = side === 'source' ? pair.from : pair.to;
    await server.query(`GRANT CREATE ON SCHEMA public TO mallory; ${FORGED}`, dbname);
    await t.rejects(pair.install(), {
      code: 'MIRROR_REFUSED',
      message: /SCHEMA pgfig belongs to mallory[\s\S]*TABLE pgfig\.outbox belongs to mallory/,
    });
    const { config, mirror } = pair;
    const foreign = { code: 'MIRROR_REFUSED', message: /SCHEMA pgfig belongs to mallory/ };
    await t.rejects(mirrorStatus(config, mirror), foreign, 'status');
    await t.rejects(relayView(config, mirror), foreign, 'relay status');
    if (side === 'source') {
      await t.rejects(removeMirror(config, mirror), foreign, 'remove');
      await t.rejects(capturedDomains(config, 'monolith'), foreign, 'mirrors left behind');
    } else {
      t.match(await removeMirror(config, mirror), { released: [], left: foreign.message }, 'remove');
      await t.rejects(new Candidate(config, mirror).elect(), foreign, 'election');
    }
    t.same((await server.query('SELECT * FROM stolen', dbname)).rows, [], 'nothing of it ran');
  });
}

t.test('what belongs to a role of which the user was made a member is its own', async (t) => {
  const pair = await makePair(server, server, SCHEMA, ['public.orders'], { source: 'app', target: 'app' });
  for (const dbname of [pair.from, pair.to])
    await server.query('CREATE SCHEMA pgfig AUTHORIZATION pgfig_owner', dbname);
  const { warnings } = await pair.install();
  t.match(warnings, [/monolith: pgfig's user app is a superuser/, /orders_db: pgfig's user app is a superuser/]);
  await server.query(
    'CREATE FUNCTION pgfig.late() RETURNS int LANGUAGE sql AS $$SELECT 1$$; ALTER FUNCTION pgfig.late() OWNER TO mallory',
    pair.from,
  );
  await t.rejects(pair.install(), { message: /FUNCTION pgfig\.late\(\) belongs to mallory/ });
  await server.query('DROP FUNCTION pgfig.late(); GRANT USAGE ON SCHEMA pgfig TO PUBLIC', pair.from);
  await t.rejects(pair.install(), { message: /schema pgfig is open to everybody/ });
});

t.test('a relay that would lead looks whose schema pgfig of the source has become', async (t) => {
  const pair = await makePair(server, server, SCHEMA, ['public.orders']);
  await pair.install();
  await server.query('ALTER TABLE pgfig.outbox OWNER TO mallory', pair.from);
  const election = new Candidate(pair.config, pair.mirror).elect();
  await t.rejects(election, { code: 'MIRROR_REFUSED', message: /TABLE pgfig\.outbox belongs to mallory/ });
  await server.query('ALTER TABLE pgfig.outbox OWNER TO postgres', pair.from);
  const candidate = new Candidate(pair.config, pair.mirror);
  const { type, ...rest } = await candidate.elect();
  t.equal(type, 'leads');
  if ('lead' in rest) await Promise.all([rest.lead.source.client.end(), rest.lead.target.end()]);
});
