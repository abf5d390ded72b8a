import { connectPg } from '../../backend/pg-client.js';
import type { Config, DatabaseConfig } from '../../config/config.js';
import { tableKey } from '../../rules/table-name.js';

/** What a session would notice of a database besides its rows. Each map: name -> what is compared, as text. */
export interface DatabaseFacts {
  readonly name: string;
  readonly settings: ReadonlyMap<string, string>;
  /** Types with an OID of their own in each database: enums, composites, domains, ranges, extensions' types. */
  readonly types: ReadonlyMap<string, { readonly oid: string; readonly definition: string }>;
  readonly roles: ReadonlyMap<string, string>;
  readonly roleSettings: ReadonlyMap<string, string>;
  /** Tables of the rules that exist: row level security and its policies. */
  readonly tables: ReadonlyMap<string, string>;
}

const SETTINGS = [
  'server_version',
  'server_encoding',
  'TimeZone',
  'DateStyle',
  'IntervalStyle',
  'standard_conforming_strings',
  'default_transaction_isolation',
  'bytea_output',
  'extra_float_digits',
];

const TYPES = `
  SELECT n.nspname, t.typname, t.oid::text,
         t.typtype::text || coalesce(' ' || format_type(nullif(t.typbasetype, 0), t.typtypmod), '')
           || coalesce((SELECT ' (' || string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) || ')'
                          FROM pg_enum WHERE enumtypid = t.oid), '')
           || coalesce((SELECT ' (' || string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) || ')'
                          FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped), '')
    FROM pg_type t
    JOIN pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_class c ON c.oid = t.typrelid
   WHERE t.oid >= 16384 AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
     AND (c.relkind IS NULL OR c.relkind = 'c')
     AND NOT EXISTS (SELECT FROM pg_type element WHERE element.typarray = t.oid)`;

const ROLES = `
  SELECT rolname, concat_ws(' ', CASE WHEN rolsuper THEN 'superuser' END, CASE WHEN rolcanlogin THEN 'login' END,
                            CASE WHEN rolbypassrls THEN 'bypassrls' END, CASE WHEN rolreplication THEN 'replication' END)
    FROM pg_roles WHERE rolname NOT LIKE 'pg\\_%'`;

const ROLE_SETTINGS = `
  SELECT coalesce(r.rolname, 'every role'), string_agg(setting, ', ' ORDER BY setting)
    FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) AS setting LEFT JOIN pg_roles r ON r.oid = s.setrole
   WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
   GROUP BY 1`;

const TABLES = `
  SELECT n.nspname, c.relname,
         CASE WHEN c.relrowsecurity THEN 'on' ELSE 'off' END || CASE WHEN c.relforcerowsecurity THEN ' forced' ELSE '' END
           || coalesce((SELECT string_agg(format('; %s %s to %s using %s check %s', policyname, cmd, roles, qual, with_check), '' ORDER BY policyname)
                          FROM pg_policies p WHERE p.schemaname = n.nspname AND p.tablename = c.relname), '')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname NOT LIKE 'pg\\_%'`;

/** Reads the facts of one database, `tables` ('schema.table') alone. @throws what the driver throws */
export async function readFacts(
  config: Config,
  database: DatabaseConfig,
  tables: readonly string[],
): Promise<DatabaseFacts> {
  const client = await connectPg(config, database, 'pgfig check');
  try {
    const rows = async (text: string): Promise<string[][]> =>
      (await client.query<string[]>({ text, rowMode: 'array' })).rows.map((row) => row.map(String));
    await client.query('SET search_path = pg_catalog');
    const settings = await client.query<[string, string]>({
      text: 'SELECT name, setting FROM pg_settings WHERE name = ANY($1)',
      values: [SETTINGS],
      rowMode: 'array',
    });
    const types = await rows(TYPES);
    const wanted = new Set(tables);
    const found = (await rows(TABLES)).map(
      ([schema = '', name = '', security = '']) => [tableKey(schema, name), security] as const,
    );
    return {
      name: database.name,
      settings: new Map(settings.rows),
      types: new Map(
        types.map(([schema = '', name = '', oid = '', definition = '']) => [
          tableKey(schema, name),
          { oid, definition },
        ]),
      ),
      roles: pairs(await rows(ROLES)),
      roleSettings: pairs(await rows(ROLE_SETTINGS)),
      tables: new Map(found.filter(([key]) => wanted.has(key))),
    };
  } finally {
    await client.end().catch(() => {});
  }
}

const pairs = (rows: readonly (readonly string[])[]): Map<string, string> =>
  new Map(rows.map(([name = '', value = '']) => [name, value]));

/** What differs, in sentences. `tables`: those of the domains that go to `other`. */
export function compareFacts(base: DatabaseFacts, other: DatabaseFacts, tables: readonly string[]): readonly string[] {
  const warnings: string[] = [];
  for (const [name, value] of base.settings) {
    const there = other.settings.get(name);
    if (name === 'server_version' ? major(value) !== major(there) : value !== there) {
      warnings.push(`setting ${name} is ${value} in ${base.name} and ${there ?? 'missing'} in ${other.name}`);
    }
  }
  for (const [name, type] of base.types) {
    const there = other.types.get(name);
    if (there === undefined) warnings.push(`type ${name} is in ${base.name} but not in ${other.name}`);
    else if (there.definition !== type.definition) {
      warnings.push(`type ${name} differs: ${type.definition} in ${base.name}, ${there.definition} in ${other.name}`);
    } else if (there.oid !== type.oid) {
      warnings.push(
        `type ${name} has OID ${type.oid} in ${base.name} and ${there.oid} in ${other.name}: its values are translated or refused where they cross`,
      );
    }
  }
  for (const name of other.types.keys()) {
    if (!base.types.has(name)) warnings.push(`type ${name} is in ${other.name} but not in ${base.name}`);
  }
  compareMaps(base.roles, other.roles, (name, here, there) => {
    if (there === null) return `role ${name} is in ${base.name} but not in ${other.name}`;
    if (here === null) return `role ${name} is in ${other.name} but not in ${base.name}`;
    return `role ${name} differs: ${here || 'no attributes'} in ${base.name}, ${there || 'no attributes'} in ${other.name}`;
  }).forEach((text) => void warnings.push(text));
  compareMaps(base.roleSettings, other.roleSettings, (name, here, there) => {
    return `settings of ${name === 'every role' ? name : `role ${name}`} differ: ${here ?? 'none'} in ${base.name}, ${there ?? 'none'} in ${other.name}`;
  }).forEach((text) => void warnings.push(text));
  for (const table of tables) {
    const [here, there] = [base.tables.get(table), other.tables.get(table)];
    if (here !== undefined && there !== undefined && here !== there) {
      warnings.push(`row level security of ${table} differs: ${here} in ${base.name}, ${there} in ${other.name}`);
    }
  }
  return warnings;
}

function compareMaps(
  base: ReadonlyMap<string, string>,
  other: ReadonlyMap<string, string>,
  say: (name: string, here: string | null, there: string | null) => string,
): string[] {
  const names = [...new Set([...base.keys(), ...other.keys()])].sort();
  return names.flatMap((name) => {
    const [here, there] = [base.get(name) ?? null, other.get(name) ?? null];
    return here === there ? [] : [say(name, here, there)];
  });
}

const major = (version: string | undefined): string => version?.split('.')[0] ?? '';
