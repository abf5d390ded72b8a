/** OIDs below are PostgreSQL's own (FirstNormalObjectId in access/transam.h). */
export const FIRST_USER_OID = 16_384;

/*
 * Each section of the catalog is one query that gives one JSON text, in an order that does not change. The server
 * keeps the text back where its digest is the one of the last reading, so a reading that finds nothing new moves no
 * rows. No function here deparses anything (pg_get_viewdef, pg_get_expr ...): those lock the user's tables, and would
 * wait behind an ALTER TABLE. What a definition names is told by pg_depend, by OID.
 */

/** Relations and functions that the objects of one system catalog name; an operator stands for its function. */
const uses = (catalog: string): string => `
  SELECT objid, json_agg(refobjid::bigint ORDER BY refobjid) FILTER (WHERE is_relation) AS relations,
         json_agg(refobjid::bigint ORDER BY refobjid) FILTER (WHERE NOT is_relation) AS functions
    FROM (SELECT objid, refclassid = 'pg_class'::regclass AS is_relation, refobjid FROM pg_depend
           WHERE classid = '${catalog}'::regclass AND refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass)
             AND refobjid >= ${FIRST_USER_OID}
           UNION
          SELECT objid, false, o.oprcode FROM pg_depend d JOIN pg_operator o ON o.oid = d.refobjid
           WHERE classid = '${catalog}'::regclass AND refclassid = 'pg_operator'::regclass
             AND refobjid >= ${FIRST_USER_OID} AND o.oprcode >= ${FIRST_USER_OID}) d
   GROUP BY objid`;

/** The functions alone, found from their end: of all defaults and checks few use any of a user's. */
const calls = (catalog: string): string => `
  SELECT objid, json_agg(DISTINCT refobjid::bigint) AS functions
    FROM (SELECT classid, objid, refobjid FROM pg_depend
           WHERE refclassid = 'pg_proc'::regclass AND refobjid >= ${FIRST_USER_OID}
           UNION ALL
          SELECT classid, objid, o.oprcode FROM pg_depend d JOIN pg_operator o ON o.oid = d.refobjid
           WHERE refclassid = 'pg_operator'::regclass AND refobjid >= ${FIRST_USER_OID} AND o.oprcode >= ${FIRST_USER_OID}) d
   WHERE classid = '${catalog}'::regclass
   GROUP BY objid`;

const columnNames = (relation: string, numbers: string): string =>
  `(SELECT json_agg(attname ORDER BY attnum) FROM pg_attribute WHERE attrelid = ${relation} AND attnum = ANY (${numbers}))`;

/** A subselect that names a relation twice gives both schemas; temporary and TOAST ones are no business of anyone else. */
const ORDINARY_SCHEMA = "nspname !~ '^pg_(toast|temp)'";

/** By name: rows of JSON arrays as `r`, in the order `o`. */
const QUERIES = {
  schemas: `SELECT to_json(nspname) AS r, nspname::text COLLATE "C" AS o FROM pg_namespace WHERE ${ORDINARY_SCHEMA}`,

  types: `
SELECT json_build_array(t.oid::bigint, nspname, t.typname, t.typtype) AS r, t.oid AS o
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
  LEFT JOIN pg_class c ON c.oid = coalesce(nullif(e.typrelid, 0), t.typrelid)
 WHERE t.oid >= ${FIRST_USER_OID} AND ${ORDINARY_SCHEMA} AND (c.oid IS NULL OR c.relkind = 'c')`,

  relations: `
SELECT json_build_array(c.oid::bigint, nspname, relname, relkind) AS r, c.oid AS o
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I') AND ${ORDINARY_SCHEMA}`,

  /** Indexes, and sequences that a column owns (serial, identity). */
  owners: `
SELECT json_build_array(oid::bigint, owner::bigint) AS r, oid AS o
  FROM (SELECT indexrelid AS oid, indrelid AS owner FROM pg_index JOIN pg_class c ON c.oid = indrelid
         WHERE indexrelid >= ${FIRST_USER_OID} AND relnamespace <> 'pg_toast'::regnamespace
         UNION ALL
        SELECT s.oid, d.refobjid FROM pg_class s JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid
         WHERE s.relkind = 'S' AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')) links`,

  /** Sequences from which the default of a column draws, with the table; a sequence may be there several times. */
  draws: `
SELECT json_build_array(s.oid::bigint, adrelid::bigint) AS r, s.oid::bigint * 4294967296 + adrelid::bigint AS o
  FROM pg_depend d JOIN pg_class s ON s.oid = d.refobjid JOIN pg_attrdef a ON a.oid = d.objid
 WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND s.relkind = 'S'`,

  inherits: `
SELECT json_build_array(inhrelid::bigint, inhparent::bigint) AS r, inhrelid::bigint * 4294967296 + inhparent::bigint AS o
  FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE relkind IN ('r', 'p', 'f')`,

  rewrites: `
SELECT json_build_array(c.oid::bigint, relkind, r.oid::bigint, r.xmin::text, rulename, ev_type, is_instead,
                        ev_qual::text <> '<>', coalesce(relations, '[]'), coalesce(functions, '[]')) AS r, r.oid AS o
  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
  LEFT JOIN (${uses('pg_rewrite')}) u ON u.objid = r.oid
 WHERE c.oid >= ${FIRST_USER_OID} AND ev_enabled IN ('O', 'A')`,

  /** What tgisinternal marks belongs to a constraint, or, before PostgreSQL 13, to a partition. */
  triggers: `
SELECT json_build_array(tgrelid::bigint, tgname, tgtype,
                        CASE WHEN tgattr::text <> '' THEN ${columnNames('tgrelid', 'tgattr')} END,
                        coalesce(functions, '[]')) AS r, t.oid AS o
  FROM pg_trigger t LEFT JOIN (${calls('pg_trigger')}) u ON u.objid = t.oid
 WHERE (NOT tgisinternal OR tgconstraint = 0) AND tgenabled IN ('O', 'A')`,

  policies: `
SELECT json_build_array(polrelid::bigint, polname, polcmd, coalesce(relations, '[]'), coalesce(functions, '[]')) AS r, p.oid AS o
  FROM pg_policy p JOIN pg_class c ON c.oid = polrelid JOIN (${uses('pg_policy')}) u ON u.objid = p.oid
 WHERE relrowsecurity`,

  /** Functions in defaults, generated columns and checks; both halves are few, as most use PostgreSQL's own alone. */
  expressions: `
SELECT json_build_array(adrelid::bigint, CASE attgenerated WHEN '' THEN 'default' ELSE 'generated' END, attname, functions) AS r,
       d.oid AS o
  FROM pg_attrdef d JOIN (${calls('pg_attrdef')}) u ON u.objid = d.oid
  JOIN pg_attribute a ON a.attrelid = adrelid AND a.attnum = adnum
 UNION ALL
SELECT json_build_array(conrelid::bigint, 'check', conname, functions), c.oid
  FROM pg_constraint c JOIN (${calls('pg_constraint')}) u ON u.objid = c.oid
 WHERE contype = 'c' AND conrelid <> 0`,

  /**
   * A partition of the referencing table has the key again: left out, as the key of the whole says it. A partition of
   * the referenced one has it for what is done to that partition. confdelsetcols is there from PostgreSQL 15 on.
   */
  foreignKeys: `
SELECT json_build_array(confrelid::bigint, conrelid::bigint, conname, confdeltype::text || confupdtype::text,
         CASE WHEN conparentid = 0 THEN 1 ELSE 0 END,
         CASE WHEN acts THEN ${columnNames('conrelid', 'conkey')} END,
         CASE WHEN acts THEN ${columnNames('confrelid', 'confkey')} END,
         CASE WHEN confdeltype IN ('n', 'd') THEN ${columnNames(
           'conrelid',
           "ARRAY(SELECT value::int2 FROM jsonb_array_elements_text(nullif(to_jsonb(c) -> 'confdelsetcols', 'null')))",
         )} END) AS r, confrelid::bigint * 4294967296 + c.oid::bigint AS o
  FROM (SELECT c.*, confdeltype NOT IN ('a', 'r') OR confupdtype NOT IN ('a', 'r') AS acts FROM pg_constraint c
         WHERE contype = 'f') c
 WHERE conparentid = 0
    OR NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = c.conparentid AND p.confrelid = c.confrelid)`,

  /**
   * What makes a statement leave other rows elsewhere: see UnsteadyFact. A default's stored tree tells the functions
   * that it calls (PostgreSQL's own are in no pg_depend), the values of the moment, and casts by way of text.
   */
  unsteady: `
SELECT json_build_array(oid, sort, name, number, what) AS r, ROW(oid, sort, name) AS o
  FROM (SELECT a.attrelid::bigint AS oid, 'default' AS sort, a.attname::text AS name,
               (SELECT count(*) FROM pg_attribute b WHERE b.attrelid = a.attrelid AND b.attnum BETWEEN 1 AND a.attnum
                   AND NOT b.attisdropped)::int AS number,
               CASE WHEN a.attidentity <> '' THEN 'identity' ELSE d.what END AS what
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN (SELECT adrelid, adnum, CASE
                       WHEN t ~ '\\{SQLVALUEFUNCTION ' THEN 'CURRENT_TIMESTAMP or the like'
                       WHEN t ~ '\\{NEXTVALUEEXPR ' THEN 'nextval()'
                       ELSE coalesce((SELECT min(proname) || '()'
                         FROM regexp_matches(t, ':(?:op)?funcid (\\d+) ', 'g') m JOIN pg_proc p ON p.oid = m[1]::oid
                        WHERE provolatile <> 'i'),
                         CASE WHEN t ~ '\\{COERCEVIAIO ' THEN 'a cast by way of text' END) END AS what
                       FROM (SELECT adrelid, adnum, adbin::text AS t FROM pg_attrdef) e) d
            ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND c.relkind IN ('r', 'p', 'f')
           AND c.oid >= ${FIRST_USER_OID} AND ${ORDINARY_SCHEMA} AND (a.attidentity <> '' OR d.what IS NOT NULL)
         UNION ALL
        SELECT tgrelid::bigint, 'trigger', tgname::text, tgtype::int, ''
          FROM pg_trigger t JOIN pg_proc p ON p.oid = tgfoid
         WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND p.pronamespace::regnamespace::text <> 'pgfig') u`,

  keys: `
SELECT json_build_array(i.indrelid::bigint, (
         SELECT json_agg(json_build_array(a.attname, (
                  SELECT count(*) FROM pg_attribute b WHERE b.attrelid = a.attrelid AND b.attnum BETWEEN 1 AND a.attnum
                     AND NOT b.attisdropped)) ORDER BY k.n)
           FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, n)
           JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum)) AS r, i.indrelid::bigint AS o
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE indisprimary AND c.oid >= ${FIRST_USER_OID} AND ${ORDINARY_SCHEMA}`,

  functions: `
SELECT json_build_array(p.oid::bigint, p.xmin::text, nspname, proname, prokind, lanname, provolatile,
         (SELECT substr(s, 13) FROM unnest(proconfig) s WHERE starts_with(s, 'search_path=')), e.extname,
         CASE WHEN prokind = 'a' THEN (SELECT json_agg(f::oid::bigint)
           FROM pg_aggregate a, unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn,
                                             aggmtransfn, aggminvtransfn, aggmfinalfn]) f
          WHERE a.aggfnoid = p.oid AND f::oid >= ${FIRST_USER_OID}) END) AS r, p.oid AS o
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
  LEFT JOIN (SELECT objid, extname FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
              WHERE classid = 'pg_proc'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e') e
    ON e.objid = p.oid
 WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND ${ORDINARY_SCHEMA}`,
};

export type QueryName = keyof typeof QUERIES;
export const QUERY_NAMES = Object.keys(QUERIES) as readonly QueryName[];

/** [stamp, rows as JSON text or null where the stamp is `known`] */
export function sectionQuery(name: QueryName, known: string): string {
  return `
SELECT md5(t), CASE WHEN md5(t) <> '${known}' THEN t END
  FROM (SELECT coalesce(json_agg(r ORDER BY o), '[]')::text AS t FROM (${QUERIES[name]}) q) s`;
}

/** PostgreSQL's own tables that the queries read. */
const READ_HERE =
  `pg_aggregate pg_attrdef pg_attribute pg_class pg_constraint pg_depend pg_extension pg_index pg_inherits
  pg_language pg_namespace pg_operator pg_policy pg_proc pg_rewrite pg_trigger pg_type`.split(/\s+/);

/**
 * Counts of all changes of those tables, as one text; null where they cannot be relied on: before PostgreSQL 15 they may
 * get lost, a standby counts none. A change is counted up to 10 s after it, and so surely in a later reading.
 */
export const CHANGE_COUNTS = `
SELECT CASE WHEN current_setting('server_version_num')::int >= 150000 AND current_setting('track_counts')::bool
             AND NOT pg_is_in_recovery()
       THEN (SELECT string_agg(concat_ws('/', pg_stat_get_tuples_inserted(c), pg_stat_get_tuples_updated(c),
                                         pg_stat_get_tuples_deleted(c)), ' ')
               FROM unnest('{${READ_HERE.join()}}'::regclass[]) c) END`;
