import { TEXT_SETTINGS } from '../connection.js';
import { literal } from '../shape/table-shape.js';
import { type KeyText, keyChanged, keyExpression } from './key-text.js';

/** Grows with every change of what is installed for a table: a newer pgfig replaces what an older one has made. */
export const CAPTURE_VERSION = 2;

export const ROW_TRIGGER = 'pgfig_capture';
export const TRUNCATE_TRIGGER = 'pgfig_capture_truncate';

export interface CaptureFunction {
  /** Within schema pgfig. */
  readonly name: string;
  readonly body: string;
  /** name=value, as pg_proc.proconfig has them. */
  readonly settings: Readonly<Record<string, string>>;
}

export const rowFunctionName = (oid: number): string => `capture_${oid}`;
export const truncateFunctionName = (oid: number): string => `capture_truncate_${oid}`;

/**
 * For functions that are called from the bodies and look up names themselves. The bodies' own names are qualified,
 * operators too, and safe on any path.
 */
const PATH = { search_path: 'pg_catalog' };

/**
 * Records the keys of changed rows. Columns are named in the text: a generic function would have to look into the row
 * by name each time. Settings cost at each call (the path alone 5 of 17 microseconds on PostgreSQL 15), and are pinned
 * only for keys whose text or comparison may hang on them. There is no EXCEPTION block, which would be a subtransaction
 * for each row.
 * @param oid of the mirrored table, the root of a partitioned one
 */
export function rowFunction(mirror: number, oid: number, texts: readonly KeyText[]): CaptureFunction {
  const insert = (...rows: readonly (readonly ['I' | 'U' | 'D', 'OLD' | 'NEW'])[]): string =>
    `INSERT INTO pgfig.outbox (mirror, tbl, op, key) VALUES ${rows
      .map(([op, row]) => `(${mirror}, ${oid}, '${op}', ${keyExpression(texts, row)})`)
      .join(', ')};`;
  const body = `
BEGIN
  IF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN
    IF ${keyChanged(texts)} THEN
      ${insert(['U', 'OLD'], ['U', 'NEW'])}
    ELSE
      ${insert(['U', 'NEW'])}
    END IF;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN
    ${insert(['I', 'NEW'])}
  ELSE
    ${insert(['D', 'OLD'])}
  END IF;
  RETURN NULL;
END `;
  return { name: rowFunctionName(oid), body, settings: settingsFor(texts) };
}

function settingsFor(texts: readonly KeyText[]): CaptureFunction['settings'] {
  if (!texts.every(({ steady }) => steady)) return { ...PATH, ...TEXT_SETTINGS };
  return texts.every(({ column }) => column.equals === 'OPERATOR(pg_catalog.=)') ? {} : PATH;
}

/** Records that a table was emptied; of a partition, which. */
export function truncateFunction(mirror: number, oid: number): CaptureFunction {
  const body = `
BEGIN
  INSERT INTO pgfig.outbox (mirror, tbl, op, key)
  VALUES (${mirror}, ${oid}, 'T', CASE WHEN TG_RELID OPERATOR(pg_catalog.<>) ${oid}::pg_catalog.oid THEN TG_RELID::pg_catalog.text END);
  RETURN NULL;
END `;
  return { name: truncateFunctionName(oid), body, settings: PATH };
}

/**
 * Runs as its owner, so that writers need no right on schema pgfig. EXECUTE is everybody's: whoever makes or attaches a
 * partition is asked for it when the row trigger is cloned. It lets nobody call the function, which is a trigger's; and
 * nobody may name it for a trigger of his own, since nobody has USAGE on schema pgfig.
 */
export function functionSql({ name, body, settings }: CaptureFunction): string {
  const set = Object.entries(settings).map(([key, value]) => ` SET ${key} = ${settingValue(key, value)}`);
  const tag = body.includes('$pgfig$') ? `$pgfig_${name}$` : '$pgfig$';
  return `CREATE OR REPLACE FUNCTION pgfig.${name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER${set.join('')} AS ${tag}${body}${tag};
GRANT EXECUTE ON FUNCTION pgfig.${name}() TO PUBLIC`;
}

/** A list is a list of values, each quoted. */
const settingValue = (key: string, value: string): string =>
  key === 'DateStyle' || key === 'search_path'
    ? value
        .split(',')
        .map((part) => literal(part.trim()))
        .join(', ')
    : literal(value);
