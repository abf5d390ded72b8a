import { ident } from '../../shape/table-shape.js';
import type { Side } from './server-problems.js';

/**
 * Publications that have pgfig's own tables in them. A subscriber has none of these, and stops at the first change of
 * one. Where `wal_level` is not logical nobody can subscribe, and nothing is said.
 * @throws what the driver throws
 */
export async function publicationProblems({ client, name }: Side): Promise<readonly string[]> {
  const { rows: facts } = await client.query<{ version: number; logical: boolean }>(
    `SELECT current_setting('server_version_num')::int4 AS version, current_setting('wal_level') = 'logical' AS logical`,
  );
  if (facts[0]?.logical !== true) return [];
  const bySchema =
    facts[0].version < 150_000
      ? ''
      : `UNION ALL
         SELECT p.pubname, false FROM pg_publication p JOIN pg_publication_namespace n ON n.pnpubid = p.oid
          WHERE n.pnnspid = to_regnamespace('pgfig')`;
  const { rows } = await client.query<{ publication: string; all: boolean }>(
    `SELECT pubname::text AS publication, true AS "all" FROM pg_publication WHERE puballtables ${bySchema} ORDER BY 1`,
  );
  return rows.map(({ publication, all }) => {
    const publishes = all ? 'publishes all tables' : 'publishes schema pgfig';
    const remedy = all
      ? `Make one that names its tables or schemas, move the subscribers to it, and DROP PUBLICATION ${ident(publication)}`
      : `ALTER PUBLICATION ${ident(publication)} DROP TABLES IN SCHEMA pgfig`;
    return `database ${name}: publication ${publication} ${publishes}, pgfig's own too, at which its subscribers would stop. ${remedy}`;
  });
}
