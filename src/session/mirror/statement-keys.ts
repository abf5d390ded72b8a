import type { RoutingContext } from '../../routing/context.js';
import type { Mirroring } from '../../routing/mirroring.js';
import { splitKey } from '../../rules/table-name.js';
import type { Statement } from '../../sql/statement.js';
import { decodeBindNames } from '../../wire/decode.js';
import type { SessionCore } from '../session-core.js';
import type { KeysOf } from './ledger.js';

/** A longer text is not kept, and not parsed again, for the sake of its keys. */
const LONGEST_TEXT = 8 * 1024;

/**
 * Reads later, if that comes to be wanted, which rows a statement names by their primary key: 'id=42'. A cached
 * statement has no literals, so its text is kept and parsed anew then.
 * @param text UTF-8
 * @param bind the Bind message with its parameters
 */
export function keysOf(
  session: SessionCore,
  mirroring: Mirroring,
  text: Buffer,
  bind: Buffer | null = null,
): KeysOf | null {
  if (text.length + (bind?.length ?? 0) > LONGEST_TEXT) return null;
  const { traffic, context } = session;
  return () => {
    const [statement] = traffic.cache.parseAnew(text.toString('utf8')).statements;
    return statement === undefined ? [] : keysIn(statement, mirroring, context, parametersOf(bind));
  };
}

function keysIn(
  { pins = [] }: Statement,
  { tables }: Mirroring,
  { catalog, rules }: RoutingContext,
  parameters: readonly (string | null)[],
): string[] {
  const [table] = tables;
  if (table === undefined) return [];
  const { schema, name } = splitKey(table);
  const key = catalog?.relation?.(rules.defaultDatabase, schema, name)?.key ?? [];
  if (key.length === 0) return [];
  return pins.flatMap(({ table: pinned, row }) => {
    const values = key.map(
      ({ column, place }) => row.find((one) => one.column === column || one.column === place)?.value,
    );
    const texts = values.map((value) => (typeof value === 'number' ? parameters[value - 1] : value));
    if (pinned.name !== name || texts.some((text) => text === undefined || text === null)) return [];
    return [key.map(({ column }, at) => `${column}=${texts[at]}`).join(', ')];
  });
}

/** Values of a Bind message, null for those in binary. Layout: see `wantsBinary` in nested-oids.ts. */
function parametersOf(bind: Buffer | null): (string | null)[] {
  if (bind === null) return [];
  let at = decodeBindNames(bind, 5, bind.length).end;
  const formats = Array.from({ length: bind.readUInt16BE(at) }, (_, i) => bind.readInt16BE(at + 2 + 2 * i));
  at += 2 + 2 * formats.length;
  const count = bind.readUInt16BE(at);
  at += 2;
  const values: (string | null)[] = [];
  for (let i = 0; i < count && at + 4 <= bind.length; i++) {
    const length = bind.readInt32BE(at);
    const isText = (formats.length === 1 ? formats[0] : (formats[i] ?? 0)) === 0;
    values.push(length >= 0 && isText ? bind.toString('utf8', at + 4, at + 4 + length) : null);
    at += 4 + Math.max(0, length);
  }
  return values;
}
