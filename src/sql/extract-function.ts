import { builtinVolatility, dependsOnMore } from './builtin-functions.js';
import type { Facts } from './facts.js';
import { functionOfParts, splitNames, tableOfText } from './names.js';
import { constantOf, listOf, stringsOf, type TreeNode } from './tree.js';

/** Their first constant argument names a relation; what it does with it is reading. */
const READS_NAMED_RELATION = new Set([
  'pg_column_is_updatable',
  'pg_get_serial_sequence',
  'pg_get_viewdef',
  'pg_indexes_size',
  'pg_partition_ancestors',
  'pg_partition_root',
  'pg_partition_tree',
  'pg_relation_filenode',
  'pg_relation_filepath',
  'pg_relation_is_updatable',
  'pg_relation_size',
  'pg_table_size',
  'pg_total_relation_size',
  'regclass',
  'table_to_xml',
  'table_to_xml_and_xmlschema',
  'table_to_xmlschema',
  'to_regclass',
]);

/** (user,) relation, ... */
const PRIVILEGE_OF_RELATION = new Map([
  ['has_table_privilege', 2],
  ['has_any_column_privilege', 2],
  ['has_column_privilege', 3],
]);

/** Built in, but run SQL or read a cursor that only their argument's value shows: reported as if not known. */
const OPAQUE =
  /^(query_to_xml|query_to_xmlschema|query_to_xml_and_xmlschema|cursor_to_xml\w*|schema_to_xml\w*|database_to_xml\w*|ts_stat|ts_rewrite)$/;

/** Aggregates whose result hangs on the order in which the rows come. */
const IN_ORDER = new Set([
  'array_agg',
  'json_agg',
  'json_object_agg',
  'jsonb_agg',
  'jsonb_object_agg',
  'string_agg',
  'xmlagg',
]);

const LARGE_OBJECT = /^(lo_\w+|loread|lowrite)$/;
const LARGE_OBJECT_READ = /^(loread|lo_open|lo_close|lo_get|lo_lseek(64)?|lo_tell(64)?)$/;
const ADVISORY_LOCK = /^pg_(try_)?advisory_/;

/**
 * Takes note of one function call and returns the arguments that are still to be walked.
 * `runsOnce`: the call stands bare in a SELECT without FROM, so that set_config() surely takes effect.
 */
export function functionCall(facts: Facts, call: TreeNode, runsOnce: boolean): readonly unknown[] {
  const name = functionOfParts(stringsOf(call.funcname));
  const args = listOf(call.args);
  const volatility = builtinVolatility(name);
  if (volatility === null) {
    // VARIADIC hands over an array of any length; WITHIN GROUP adds what it sorts by.
    const counted = call.func_variadic !== true && call.agg_within_group !== true;
    facts.functions.add(counted ? { ...name, args: args.length } : name);
    return args;
  }
  if (name.schema === undefined) facts.homonyms.add(name);
  const called = name.name;
  if (dependsOnMore(called, volatility, args.length)) facts.hangsOn(`${called}()`);
  if (IN_ORDER.has(called) && call.agg_order === undefined && call.over === undefined) {
    facts.unsteady ??= `${called}() without ORDER BY`;
  }
  if (called === 'nextval' || called === 'setval' || called === 'currval') return sequenceCall(facts, called, args);
  if (called === 'set_config') setConfig(facts, args, runsOnce);
  else if (called === 'pg_notify') facts.effects.push({ type: 'notify', channel: constantOf(args[0]) ?? '' });
  else if (ADVISORY_LOCK.test(called))
    facts.effects.push({ type: 'advisory-lock', session: !called.includes('_xact_') });
  else if (LARGE_OBJECT.test(called)) largeObject(facts, called);
  else if (OPAQUE.test(called)) facts.functions.add(name);
  else if (READS_NAMED_RELATION.has(called)) readNamed(facts, args[0]);
  else if (args.length === PRIVILEGE_OF_RELATION.get(called)) readNamed(facts, args[0]);
  else if (PRIVILEGE_OF_RELATION.has(called)) readNamed(facts, args[1]);
  return args;
}

/** A relation named by a constant of type text or regclass. */
export function readNamed(facts: Facts, argument: unknown): void {
  const text = constantOf(argument);
  const table = text === null ? null : tableOfText(text);
  if (table !== null) facts.reads.add(table);
}

function sequenceCall(facts: Facts, called: string, args: readonly unknown[]): readonly unknown[] {
  if (called !== 'currval') {
    // Both are refused in a read-only transaction: a write as Postgres sees it.
    facts.writesData = true;
    facts.effects.push({ type: 'sequence' });
  }
  const text = constantOf(args[0]);
  const sequence = text === null ? null : tableOfText(text);
  if (sequence !== null) {
    facts.sequences.add(sequence);
    return args.slice(1);
  }
  if (!namesSerial(args[0])) facts.functions.add({ schema: 'pg_catalog', name: called });
  return args;
}

/** nextval(pg_get_serial_sequence('orders', 'id')): the table says where the sequence is. */
function namesSerial(argument: unknown): boolean {
  const source = JSON.stringify(argument ?? null);
  return source.includes('"pg_get_serial_sequence"');
}

/** set_config(name, value, is_local) */
function setConfig(facts: Facts, args: readonly unknown[], runsOnce: boolean): void {
  const name = constantOf(args[0])?.toLowerCase() ?? null;
  const local = constantOf(args[2]);
  if (name === null || local === null) {
    facts.effects.push({ type: 'set-unknown' });
    return;
  }
  const text = runsOnce ? constantOf(args[1]) : null;
  facts.effects.push({
    type: 'set',
    name,
    value: settingOf(name, text),
    local: /^(t|tr|tru|true|on|1|y|yes)$/i.test(local),
  });
}

/** search_path arrives as one string that the server splits; SET has it split by the grammar. */
function settingOf(name: string, text: string | null): readonly string[] | null {
  if (text === null) return null;
  return name === 'search_path' ? splitNames(text, ',') : [text];
}

function largeObject(facts: Facts, called: string): void {
  if (!LARGE_OBJECT_READ.test(called)) facts.writesData = true;
  facts.effects.push({ type: 'large-object' });
}
