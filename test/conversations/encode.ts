/**
 * Turns one `->` line of a conversation into the bytes of one frontend message.
 * Written apart from src/wire, so that a mistake there is not made twice.
 * Layouts: PostgreSQL documentation, "Message Formats".
 */

export type Value = string | number | null | Value[] | { [key: string]: Value };

export interface Send {
  readonly message: string;
  readonly values: readonly Value[];
}

const PROTOCOL_3_0 = 196608;
const SSL_REQUEST = 80877103;
const GSSENC_REQUEST = 80877104;

/** `Bind "" "s1" ["1"]` -> message and values; a value is JSON or a bare word. */
export function parseSend(text: string): Send {
  const [, message = '', rest = ''] = /^(\w+)\s*(.*)$/s.exec(text) ?? [];
  const values: Value[] = [];
  for (let left = rest.trim(); left !== ''; ) {
    const token = firstToken(left);
    values.push(/^["[{0-9-]/.test(token) || token === 'null' ? (JSON.parse(token) as Value) : token);
    left = left.slice(token.length).trim();
  }
  return { message, values };
}

function firstToken(text: string): string {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (quoted) {
      if (char === '\\') at++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') depth--;
    else if (char === ' ' && depth === 0) return text.slice(0, at);
  }
  return text;
}

/** @throws Error for a message that is not known here. */
export function encode({ message, values }: Send): Buffer {
  const text = (index: number): string => String(values[index] ?? '');
  const list = (index: number): Value[] => (Array.isArray(values[index]) ? values[index] : []);
  switch (message) {
    case 'Startup':
      return startup(values[0]);
    case 'SSLRequest':
      return untyped(int32(SSL_REQUEST));
    case 'GSSENCRequest':
      return untyped(int32(GSSENC_REQUEST));
    case 'Query':
      return typed('Q', cstring(text(0)));
    case 'Parse':
      return typed('P', cstring(text(0)), cstring(text(1)), ...counted(list(2), (oid) => int32(Number(oid))));
    case 'Bind':
      return bind(text(0), text(1), list(2), list(3), list(4));
    case 'Describe':
      return typed('D', Buffer.from(text(0)), cstring(text(1)));
    case 'Execute':
      return typed('E', cstring(text(0)), int32(Number(values[1] ?? 0)));
    case 'Close':
      return typed('C', Buffer.from(text(0)), cstring(text(1)));
    case 'Sync':
      return typed('S');
    case 'Flush':
      return typed('H');
    case 'Terminate':
      return typed('X');
    case 'CopyData':
      return typed('d', bytes(values[0] ?? ''));
    case 'CopyDone':
      return typed('c');
    case 'CopyFail':
      return typed('f', cstring(text(0)));
    case 'FunctionCall':
      return functionCall(Number(values[0]), list(1));
    case 'Message':
      return typed(text(0), bytes(values[1] ?? ''));
    case 'Raw':
      return Buffer.from(text(0).replaceAll(' ', ''), 'hex');
    default:
      throw new Error(`no such message in a conversation: ${message}`);
  }
}

function startup(parameters: Value | undefined): Buffer {
  const { protocol, ...options } = (parameters ?? {}) as { [key: string]: Value };
  const pairs = Object.entries(options).flatMap(([name, value]) => [cstring(name), cstring(String(value))]);
  return untyped(int32(Number(protocol ?? PROTOCOL_3_0)), ...pairs, Buffer.from([0]));
}

/** Formats: none = all text, one for all, or one each; 0 text, 1 binary. */
function bind(portal: string, statement: string, params: Value[], formats: Value[], results: Value[]): Buffer {
  const format = (code: Value) => int16(Number(code));
  return typed(
    'B',
    cstring(portal),
    cstring(statement),
    ...counted(formats, format),
    ...counted(params, sized),
    ...counted(results, format),
  );
}

/** All arguments and the result in text. */
function functionCall(oid: number, args: Value[]): Buffer {
  return typed('F', int32(oid), int16(0), ...counted(args, sized), int16(0));
}

function sized(value: Value): Buffer {
  if (value === null) return int32(-1);
  const data = bytes(value);
  return Buffer.concat([int32(data.length), data]);
}

/** A string, or {"hex": "00 00 00 01"}. */
function bytes(value: Value): Buffer {
  if (typeof value === 'object' && value !== null && 'hex' in value) {
    return Buffer.from(String(value.hex).replaceAll(' ', ''), 'hex');
  }
  return Buffer.from(String(value));
}

function counted(items: Value[], one: (item: Value) => Buffer): Buffer[] {
  return [int16(items.length), ...items.map(one)];
}

function typed(type: string, ...parts: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(type, 'latin1'), untyped(...parts)]);
}

function untyped(...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([int32(body.length + 4), body]);
}

function cstring(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}
