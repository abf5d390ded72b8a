import type pg from 'pg';
import { identifierList } from './identifier-list.js';
import type { SearchPathSetting, SettingRows } from './rows.js';
import { CHANGE_COUNTS } from './section-queries.js';

/**
 * SHOW comes first, while search_path is still the server's; it looks up no names, so nothing that a user has put into
 * a schema can run as pgfig. All after it, here and later, is pinned to pg_catalog.
 */
const QUERIES = [
  'SHOW search_path',
  'SET search_path = pg_catalog, pg_temp',
  `SELECT rolname, setdatabase <> 0, setting
     FROM (SELECT setrole, setdatabase, unnest(setconfig) AS setting FROM pg_db_role_setting) s
     LEFT JOIN pg_roles r ON r.oid = s.setrole
    WHERE setting LIKE 'search_path=%'
      AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    ORDER BY 1, 2`,
  'SELECT current_user::text',
  CHANGE_COUNTS,
];

export interface Settings {
  readonly rows: Omit<SettingRows, 'schemas'>;
  /** See CHANGE_COUNTS. */
  readonly changeCounts: string | null;
}

/** The first that is asked on a connection. */
export async function readSettings(client: pg.ClientBase): Promise<Settings> {
  const query: pg.QueryArrayConfig = { text: QUERIES.join(';\n'), rowMode: 'array' };
  // A string of several statements gives a list of results, which the driver's types do not tell.
  const results = (await client.query(query)) as unknown as pg.QueryArrayResult[];
  const [shown, , settings, me, counts] = results.map((result): unknown[][] => result.rows);
  const searchPaths = (settings ?? []).map(
    ([role, here, setting]): SearchPathSetting => ({
      role: role === null ? null : String(role),
      thisDatabase: here === true,
      path: identifierList(String(setting).slice('search_path='.length)),
    }),
  );
  const count = counts?.[0]?.[0];
  return {
    rows: { searchPaths, serverSearchPath: serverPath(String(shown?.[0]?.[0]), String(me?.[0]?.[0]), searchPaths) },
    changeCounts: typeof count === 'string' ? count : null,
  };
}

/** SHOW tells the server's own value only where no setting of role or database hides it. */
function serverPath(shown: string, me: string, settings: readonly SearchPathSetting[]): readonly string[] | null {
  if (settings.some((setting) => setting.role === null || setting.role === me)) return null;
  return shown === '"$user", public' ? null : identifierList(shown);
}
