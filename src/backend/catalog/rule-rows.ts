import type { RuleDetail } from './details.js';
import { isViewRule, type RawExpression, type RawPolicy, type RawRewrite, type RawTrigger } from './raw-rows.js';
import { RowList } from './row-list.js';
import { type TouchedOids, type ViewRow, WORK_BITS, type WorkRow } from './rows.js';

const { read, insert, update, delete: remove, truncate } = WORK_BITS;
/** pg_rewrite.ev_type; '1' is ON SELECT, which only views have. */
const RULE_EVENTS: Readonly<Record<string, number>> = { 1: read, 2: update, 3: insert, 4: remove };
/** pg_policy.polcmd */
const POLICY_COMMANDS: Readonly<Record<string, number>> = {
  r: read,
  a: insert,
  w: update,
  d: remove,
  '*': read + insert + update + remove,
};
/** pg_trigger.tgtype (catalog/pg_trigger.h) */
const TRIGGER_EVENTS = [
  [4, insert],
  [8, remove],
  [16, update],
  [32, truncate],
] as const;
const TRIGGER_INSTEAD = 64;
const NOT_READ = 'its rule cannot be read';

export function viewRows(rewrites: readonly RawRewrite[], details: ReadonlyMap<number, RuleDetail>): RowList<ViewRow> {
  return inOrder(
    rewrites.filter(isViewRule).map((row): ViewRow => {
      const [oid, kind, rule] = row;
      const detail = details.get(rule);
      const [only, ...others] = sources(row);
      // A view on one relation changes that one, if it changes any.
      const single = others.length === 0 ? (only ?? 0) : (detail?.soleSource ?? 0);
      return [oid, kind === 'v' ? single : 0, ruleTouches(row, detail)];
    }),
  );
}

export function workRows(
  rewrites: readonly RawRewrite[],
  details: ReadonlyMap<number, RuleDetail>,
  triggers: readonly RawTrigger[],
  policies: readonly RawPolicy[],
  expressions: readonly RawExpression[],
): RowList<WorkRow> {
  const rules = rewrites.filter((row) => !isViewRule(row));
  return inOrder([
    ...rules.map((row) => ruleRow(row, details.get(row[2]))),
    ...triggers.map(triggerRow),
    ...policies.map(policyRow),
    ...expressions.map(expressionRow),
  ]);
}

/** What a rule names but for its own relation. */
const sources = ([oid, , , , , , , , relations]: RawRewrite): readonly number[] =>
  relations.filter((relation) => relation !== oid);

function ruleTouches(row: RawRewrite, detail: RuleDetail | undefined): TouchedOids {
  const functions = row[9];
  const reads = sources(row);
  return {
    ...(reads.length === 0 ? {} : { reads }),
    ...(functions.length === 0 ? {} : { functions }),
    ...(detail?.locks === true ? { locks: true } : {}),
    ...(detail === undefined || detail.changes.length === 0 ? {} : { changes: detail.changes }),
    ...opaque(detail === undefined ? NOT_READ : detail.opaque),
  };
}

/** With a condition the statement itself is done too where that does not hold. */
function ruleRow(row: RawRewrite, detail: RuleDetail | undefined): WorkRow {
  const [oid, , , , name, event, instead, qualified] = row;
  const replaces = instead && !qualified ? 1 : 0;
  return [oid, `rule ${name}`, RULE_EVENTS[event] ?? 0, null, replaces, ruleTouches(row, detail)];
}

function triggerRow([oid, name, type, columns, functions]: RawTrigger): WorkRow {
  const on = TRIGGER_EVENTS.reduce((sum, [bit, event]) => ((type & bit) === 0 ? sum : sum + event), 0);
  return [oid, `trigger ${name}`, on, columns, (type & TRIGGER_INSTEAD) === 0 ? 0 : 1, { functions }];
}

function policyRow([oid, name, command, relations, functions]: RawPolicy): WorkRow {
  const reads = relations.filter((relation) => relation !== oid);
  return [oid, `policy ${name}`, POLICY_COMMANDS[command] ?? 0, null, 0, { reads, functions }];
}

function expressionRow([oid, sort, name, functions]: RawExpression): WorkRow {
  const what = { default: 'default of column', generated: 'generated column', check: 'check' }[sort];
  return [oid, `${what} ${name}`, insert + update, sort === 'default' ? [name] : null, 0, { functions }];
}

const opaque = (reason: string | null): TouchedOids => (reason === null ? {} : { opaque: reason });

const inOrder = <R extends readonly [number, ...unknown[]]>(rows: R[]): RowList<R> =>
  RowList.of(rows.sort((a, b) => a[0] - b[0]));
