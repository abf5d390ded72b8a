import type pg from 'pg';
import { PgfigError } from '../../errors/pgfig-error.js';
import { readShapes } from '../shape/read-shapes.js';
import { literal, qualified, type TableShape } from '../shape/table-shape.js';
import {
  CAPTURE_VERSION,
  type CaptureFunction,
  functionSql,
  ROW_TRIGGER,
  rowFunction,
  rowFunctionName,
  TRUNCATE_TRIGGER,
  truncateFunction,
  truncateFunctionName,
} from './capture-functions.js';
import { familyOf } from './family.js';
import { readKeyTexts } from './key-text.js';
import { type OwnTrigger, ownTriggers } from './own-triggers.js';
import { type Ddl, ddlSql, ddlUnderShortLock, type LockPatience } from './short-locks.js';

/** What of a table's capture was not as it should be. */
export interface CaptureState {
  /** It is captured for this mirror, if not wholly. */
  readonly known: boolean;
  /** All is as it should be. */
  readonly whole: boolean;
  /** Why changes may have passed unrecorded, or under another key, should there be a copy already; '': none could. */
  readonly gap: string;
}

/** How the capture of a table stands. Locks nothing. @throws what the driver throws */
export async function captureState(client: pg.ClientBase, mirror: number, shape: TableShape): Promise<CaptureState> {
  const { rows } = await client.query<{ name: string; key: string[]; version: number }>(
    'SELECT table_name AS name, key_columns AS key, version FROM pgfig.captured WHERE table_oid = $1::int8::oid AND mirror = $2',
    [shape.oid, mirror],
  );
  const [known] = rows;
  const functions = await wantedFunctions(client, mirror, shape);
  const current = await sameFunctions(client, functions);
  const todo = await missing(client, shape);
  const key = (shape.key ?? []).map(({ name }) => name);
  const sameKey = known !== undefined && known.key.join('\0') === key.join('\0');
  const unrecorded = todo.create.length > 0 || todo.enable.length > 0;
  const sameRow = known?.version === CAPTURE_VERSION && known.name === shape.name && sameKey;
  return {
    known: known !== undefined,
    whole: sameRow && current && !unrecorded && todo.stray.length === 0,
    gap:
      known === undefined
        ? 'it was not captured until now'
        : !sameKey
          ? `its key has changed from (${known.key.join(', ')}) to (${key.join(', ')})`
          : unrecorded
            ? 'its triggers were missing or disabled on it or on a partition'
            : '',
  };
}

/**
 * Whether each change of a table is recorded now: what a backfill has to know before it begins. Locks nothing.
 * @param source in READ COMMITTED, outside of a transaction: what was committed a moment ago counts
 * @param shape of the table in the source, as it is now
 * @returns and why it is not; '' where it is
 * @throws what the driver throws
 */
export async function captureIsWhole(
  source: pg.ClientBase,
  mirror: number,
  shape: TableShape,
): Promise<{ readonly whole: boolean; readonly reason: string }> {
  if (shape.key === null) return { whole: false, reason: shape.keyProblem };
  if (shape.children.length > 0) return { whole: false, reason: `${shape.children.join(', ')} inherit from it` };
  const { whole, gap } = await captureState(source, mirror, shape);
  if (whole) return { whole, reason: '' };
  const outdated = 'what is installed for it is of another version of pgfig, or of the name it had before';
  return { whole, reason: gap === '' ? outdated : gap };
}

/**
 * Installs or mends the capture of a table, all or nothing.
 * @throws PgfigError MIRROR_BUSY; MIRROR_REFUSED where the table has lost its key meanwhile; what the driver throws
 */
export async function captureTable(
  client: pg.ClientBase,
  mirror: number,
  shape: TableShape,
  patience: LockPatience = {},
): Promise<void> {
  for (let pass = 1; ; pass++) {
    const now = await shapeNow(client, shape.name);
    await installOn(client, mirror, now, patience);
    const after = await shapeNow(client, shape.name);
    for (const stray of (await missing(client, after)).stray) await dropTrigger(client, stray, patience);
    // What is to be done was seen before the lock was had: a partition may have come in between.
    if (pass === PASSES || (await captureState(client, mirror, after)).whole) return;
  }
}

/** Who alters a table more often while it is captured waits for the next install. */
const PASSES = 3;

/** Drops one trigger, and with it its clones. @throws PgfigError MIRROR_BUSY */
export async function dropTrigger(client: pg.ClientBase, trigger: OwnTrigger, patience: LockPatience): Promise<void> {
  const { table, name, relation } = trigger;
  await ddlUnderShortLock(
    client,
    { what: `removal of a trigger from ${table}`, tables: table, mode: 'ACCESS EXCLUSIVE', oids: [relation] },
    async () => ({ statements: [`DROP TRIGGER IF EXISTS ${name} ON ${table}`], always: [] }),
    patience,
  );
}

/** All or nothing; the table is locked where triggers are missing. */
async function installOn(
  client: pg.ClientBase,
  mirror: number,
  shape: TableShape,
  patience: LockPatience,
): Promise<void> {
  const { create, enable } = await missing(client, shape);
  const ddl = (): Promise<Ddl> => installDdl(client, mirror, shape);
  if (create.length === 0 && enable.length === 0) {
    await client.query(ddlSql(await ddl()));
    return;
  }
  const oids = [shape.oid, ...shape.partitions.map(({ oid }) => oid)];
  const tables = qualified(shape);
  const what = `capture of ${shape.name}`;
  await ddlUnderShortLock(client, { what, tables, mode: 'SHARE ROW EXCLUSIVE', oids }, ddl, patience);
}

async function installDdl(client: pg.ClientBase, mirror: number, shape: TableShape): Promise<Ddl> {
  const functions = await wantedFunctions(client, mirror, shape);
  const key = (shape.key ?? []).map(({ name }) => literal(name));
  return {
    statements: [
      sameTable(shape),
      ...functions.map(functionSql),
      ...(await missing(client, shape)).create,
      renamePosition(mirror, shape),
      `INSERT INTO pgfig.captured (table_oid, mirror, table_name, key_columns, version)
       VALUES (${shape.oid}, ${mirror}, ${literal(shape.name)}, ARRAY[${key.join(', ')}]::pg_catalog.text[], ${CAPTURE_VERSION})
       ON CONFLICT (table_oid) DO UPDATE
         SET table_name = EXCLUDED.table_name, key_columns = EXCLUDED.key_columns, version = EXCLUDED.version, installed_at = pg_catalog.now()`,
    ],
    always: functions.map(({ name }) => `pgfig.${name}()`),
  };
}

/** A table that was renamed keeps what its change feed has yet to send: a position of its own goes by its name. */
function renamePosition(mirror: number, { oid, name }: TableShape): string {
  const apart = (table: string): string => `pg_catalog.split_part(c.consumer, ':', 1) || ':' || ${table}`;
  return `UPDATE pgfig.consumers c SET consumer = ${apart(literal(name))} FROM pgfig.captured k
    WHERE k.table_oid = ${oid} AND k.mirror = ${mirror} AND k.table_name <> ${literal(name)}
      AND c.mirror = k.mirror AND c.consumer = ${apart('k.table_name')}
      AND NOT EXISTS (SELECT FROM pgfig.consumers o WHERE o.mirror = c.mirror AND o.consumer = ${apart(literal(name))})`;
}

/** Ends the transaction where that name is another table's by now; the next install sees that. */
const sameTable = (shape: TableShape): string => {
  const body = `BEGIN
  IF pg_catalog.to_regclass(${literal(qualified(shape))})::pg_catalog.oid IS DISTINCT FROM ${shape.oid}::pg_catalog.oid THEN
    RAISE EXCEPTION 'table % was made anew meanwhile', ${literal(shape.name)} USING ERRCODE = '55000';
  END IF;
END`;
  return `DO ${literal(body)}`;
};

async function shapeNow(client: pg.ClientBase, name: string): Promise<TableShape> {
  const shape = (await readShapes(client, [name])).get(name);
  if (shape?.key) return shape;
  throw new PgfigError('MIRROR_REFUSED', `table ${name} cannot be captured: ${shape?.keyProblem ?? 'it is gone'}`);
}

async function wantedFunctions(
  client: pg.ClientBase,
  mirror: number,
  shape: TableShape,
): Promise<readonly CaptureFunction[]> {
  const texts = await readKeyTexts(client, shape.oid, shape.key ?? []);
  return [rowFunction(mirror, shape.oid, texts), truncateFunction(mirror, shape.oid)];
}

async function sameFunctions(client: pg.ClientBase, wanted: readonly CaptureFunction[]): Promise<boolean> {
  const { rows } = await client.query<{ name: string; body: string; definer: boolean; settings: string[] | null }>(
    `SELECT proname AS name, prosrc AS body, prosecdef AS definer, proconfig AS settings
       FROM pg_catalog.pg_proc WHERE pronamespace = pg_catalog.to_regnamespace('pgfig') AND proname = ANY ($1::text[])`,
    [wanted.map(({ name }) => name)],
  );
  return wanted.every(({ name, body, settings }) => {
    const found = rows.find((row) => row.name === name);
    const set = Object.keys(settings).map((key) => key.toLowerCase());
    return (
      found?.body === body &&
      found.definer &&
      set.toSorted().join() ===
        (found.settings ?? [])
          .map((text) => text.replace(/=.*/s, '').toLowerCase())
          .toSorted()
          .join()
    );
  });
}

interface Todo {
  readonly create: readonly string[];
  readonly enable: readonly OwnTrigger[];
  /** On what is no part of the table any more: a partition that was detached. */
  readonly stray: readonly OwnTrigger[];
}

/** What is missing of a table's triggers. Row triggers of a partitioned table are cloned to its partitions. */
async function missing(client: pg.ClientBase, shape: TableShape): Promise<Todo> {
  const functions = { row: rowFunctionName(shape.oid), truncate: truncateFunctionName(shape.oid) };
  const found = await ownTriggers(client, Object.values(functions));
  const on = (relation: number, runs: string): boolean =>
    found.some((trigger) => trigger.relation === relation && trigger.runs === runs);
  const create: string[] = [];
  if (!on(shape.oid, functions.row)) {
    create.push(
      `CREATE TRIGGER ${ROW_TRIGGER} AFTER INSERT OR UPDATE OR DELETE ON ${qualified(shape)} FOR EACH ROW EXECUTE FUNCTION pgfig.${functions.row}()`,
    );
  }
  const family = await familyOf(client, shape);
  for (const { oid, table } of family) {
    if (!on(oid, functions.truncate)) {
      create.push(
        `CREATE TRIGGER ${TRUNCATE_TRIGGER} AFTER TRUNCATE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION pgfig.${functions.truncate}()`,
      );
    }
  }
  const oids = new Set([shape.oid, ...shape.partitions.map(({ oid }) => oid)]);
  return {
    create,
    enable: found.filter(({ always }) => !always),
    stray: found.filter(({ relation, cloned }) => !cloned && !oids.has(relation)),
  };
}
