import type pg from 'pg';
import type { Mirror } from '../mirror.js';
import { ident, literal, qualified, type TableShape } from '../shape/table-shape.js';
import { dropTrigger } from './capture-table.js';
import { familyOf } from './family.js';
import { type OwnTrigger, ownTriggers } from './own-triggers.js';
import { RELAY_ROLE } from './relay-role.js';
import { ddlUnderShortLock, type LockPatience } from './short-locks.js';

export const GUARD_TRIGGER = 'pgfig_guard';
export const GUARD_TRUNCATE_TRIGGER = 'pgfig_guard_truncate';

/** What a guard's refusal says. */
export interface GuardText {
  readonly domain: string;
  readonly phase: string;
  /** The database in which the tables are written. */
  readonly writtenIn: string;
}

const argsOf = ({ domain, phase, writtenIn }: GuardText): readonly string[] => [domain, phase, writtenIn];

/**
 * Guards a table of the target: rows written by anyone but the relay's role are refused, on the table and on every
 * leaf, whichever the writer names. A guard with another text is replaced in one transaction.
 *
 * A guard decides by being there and by its arguments, never by reading a row: a writer with an older snapshot would
 * read what held before (shared/mirror-semantics.md).
 * @returns whether anything was changed
 * @throws PgfigError MIRROR_BUSY; what the driver throws
 */
export async function guardTable(
  client: pg.ClientBase,
  shape: TableShape,
  text: GuardText,
  patience: LockPatience = {},
): Promise<boolean> {
  const todo = await missing(client, shape, text);
  if (todo.replace.length === 0 && todo.enable.length === 0) return false;
  const oids = [shape.oid, ...shape.partitions.map(({ oid }) => oid)];
  // Before Postgres 14 a trigger is replaced by dropping it.
  const mode = todo.drops ? 'ACCESS EXCLUSIVE' : 'SHARE ROW EXCLUSIVE';
  await ddlUnderShortLock(
    client,
    { what: `guard of ${shape.name}`, tables: qualified(shape), mode, oids },
    async () => ({
      statements: (await missing(client, shape, text)).replace,
      always: ['pgfig.refuse()'],
      on: oids,
    }),
    patience,
  );
  return true;
}

/** Removes the guards of a domain from all relations but those of `keep`. @throws PgfigError MIRROR_BUSY */
export async function dropGuards(
  client: pg.ClientBase,
  domain: string,
  keep: readonly TableShape[],
  patience: LockPatience = {},
): Promise<void> {
  const kept = new Set(keep.flatMap((shape) => [shape.oid, ...shape.partitions.map(({ oid }) => oid)]));
  for (const guard of await guardsOf(client, domain)) {
    if (!guard.cloned && !kept.has(guard.relation)) await dropTrigger(client, guard, patience);
  }
}

/** Whether a table of the target is guarded as the rule asks. @throws what the driver throws */
export async function isGuarded(
  client: pg.ClientBase,
  shape: TableShape,
  { domain, phase, source }: Pick<Mirror, 'domain' | 'phase' | 'source'>,
): Promise<'none' | 'mend' | 'yes'> {
  if (!(await guardsOf(client, domain)).some(({ relation }) => relation === shape.oid)) return 'none';
  const todo = await missing(client, shape, { domain, phase, writtenIn: source });
  return todo.replace.length === 0 && todo.enable.length === 0 ? 'yes' : 'mend';
}

/** The guards of a domain that are there. */
export const guardsOf = async (client: pg.ClientBase, domain: string): Promise<readonly OwnTrigger[]> =>
  (await ownTriggers(client, ['refuse'])).filter(({ args }) => args[0] === domain);

interface Todo {
  readonly replace: readonly string[];
  readonly enable: readonly OwnTrigger[];
  readonly drops: boolean;
}

async function missing(client: pg.ClientBase, shape: TableShape, text: GuardText): Promise<Todo> {
  const family = await familyOf(client, shape);
  const oids = new Set(family.map(({ oid }) => oid));
  const version = await serverVersion(client);
  const found = (await ownTriggers(client, ['refuse'])).filter(({ relation }) => oids.has(relation));
  const args = argsOf(text);
  const when = `WHEN (CURRENT_USER OPERATOR(pg_catalog.<>) ${literal(RELAY_ROLE)}) EXECUTE FUNCTION pgfig.refuse(${args.map(literal).join(', ')})`;
  const wanted = [
    {
      oid: shape.oid,
      table: qualified(shape),
      name: GUARD_TRIGGER,
      fires: 'BEFORE INSERT OR UPDATE OR DELETE',
      each: 'ROW',
    },
    ...family.map((one) => ({ ...one, name: GUARD_TRUNCATE_TRIGGER, fires: 'BEFORE TRUNCATE', each: 'STATEMENT' })),
  ];
  const replace: string[] = [];
  let drops = false;
  for (const { oid, table, name, fires, each } of wanted) {
    const there = found.find((trigger) => trigger.relation === oid && trigger.name === name);
    if (there?.args.join('\0') === args.join('\0')) continue;
    if (there !== undefined && version < 140_000) {
      replace.push(`DROP TRIGGER ${ident(name)} ON ${table}`);
      drops = true;
    }
    const create = version < 140_000 ? 'CREATE TRIGGER' : 'CREATE OR REPLACE TRIGGER';
    replace.push(`${create} ${ident(name)} ${fires} ON ${table} FOR EACH ${each} ${when}`);
  }
  return { replace, enable: found.filter(({ always }) => !always), drops };
}

async function serverVersion(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ version: number }>(
    "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version",
  );
  return rows[0]?.version ?? 0;
}
