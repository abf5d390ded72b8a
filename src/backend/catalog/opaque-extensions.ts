/**
 * Functions of extensions that are written in C and run SQL which they are given as text, work in another database, or
 * on tables that they are told by name. All others of the kind are taken to touch nothing.
 */
const OPAQUE: Readonly<Record<string, RegExp>> = {
  amcheck: /./,
  citus: /./,
  dblink: /./,
  orafce: /^(exec|execute|parse|open|dbms_sql)/,
  pageinspect: /^(get_raw_page|bt_|brin_metapage|hash_bitmap)/,
  pg_background: /./,
  pg_cron: /./,
  pg_prewarm: /./,
  pg_repack: /./,
  pg_visibility: /./,
  pglogical: /./,
  pgrowlocks: /./,
  pgstattuple: /./,
  postgres_fdw: /^postgres_fdw_(disconnect|get_connections)/,
  refint: /^check_(primary|foreign)_key$/,
  spi: /^check_(primary|foreign)_key$/,
  tablefunc: /^(crosstab|connectby)/,
  timescaledb: /./,
  xml2: /^xpath_table$/,
};

/** Types come with functions of their own (input, output, validators), which work on values alone. */
const ON_VALUES = /(_fdw_validator|_fdw_handler|_in|_out|_recv|_send)$/;

export function isOpaqueFunction(extension: string, name: string): boolean {
  return OPAQUE[extension]?.test(name) === true && !ON_VALUES.test(name);
}
