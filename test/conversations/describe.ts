/**
 * Turns one backend message into one line of a transcript. What differs from run to run is left out:
 * pids, secrets, the server's source file and line, numbers of temporary schemas, and OIDs that the
 * server hands out (from 16384).
 * Layouts: PostgreSQL documentation, "Message Formats".
 */

const FIRST_NORMAL_OID = 16384;

const NAMES: Readonly<Record<string, string>> = {
  '1': 'ParseComplete',
  '2': 'BindComplete',
  '3': 'CloseComplete',
  c: 'CopyDone',
  I: 'EmptyQueryResponse',
  n: 'NoData',
  s: 'PortalSuspended',
};

const AUTHENTICATION: Readonly<Record<number, string>> = {
  0: 'AuthenticationOk',
  3: 'AuthenticationCleartextPassword',
  5: 'AuthenticationMD5Password',
  10: 'AuthenticationSASL',
};

/** Fields of an error that are shown by name; F, L, R and the second severity V are not. */
const ERROR_FIELDS: Readonly<Record<string, string>> = {
  D: 'detail',
  H: 'hint',
  P: 'position',
  p: 'internalPosition',
  q: 'internalQuery',
  W: 'where',
  s: 'schema',
  t: 'table',
  c: 'column',
  d: 'type',
  n: 'constraint',
};

const CANCELED = 'canceling statement due to user request';

/** @param type first byte of the message as a character; @param body what follows the length */
export function describe(type: string, body: Buffer): string {
  const read = new Reader(body);
  switch (type) {
    case 'R': {
      const code = read.int32();
      return AUTHENTICATION[code] ?? `Authentication ${code}`;
    }
    case 'S':
      return `ParameterStatus ${read.cstring()}=${read.cstring()}`;
    case 'K':
      return `BackendKeyData ${body.length - 4} byte secret`;
    case 'Z':
      return `ReadyForQuery ${read.text(1)}`;
    case 'C':
      return `CommandComplete ${read.cstring()}`;
    case 'T':
      return `RowDescription ${read.list(() => column(read)).join(' ')}`.trim();
    case 'D':
      return `DataRow ${read.list(() => read.sized()).join(' ')}`.trim();
    case 't':
      return `ParameterDescription ${read.list(() => oid(read.int32())).join(' ')}`.trim();
    case 'E':
    case 'N':
      return report(type === 'E' ? 'ErrorResponse' : 'NoticeResponse', read);
    case 'A':
      read.int32();
      return `NotificationResponse ${read.cstring()} ${show(Buffer.from(read.cstring()))}`;
    case 'G':
    case 'H':
    case 'W':
      return copyResponse(type, read);
    case 'd':
      return `CopyData ${show(body)}`;
    case 'V':
      return `FunctionCallResponse ${read.sized()}`;
    case 'v':
      return `NegotiateProtocolVersion ${read.int32()} ${Array.from({ length: read.int32() }, () => read.cstring())}`;
    default:
      return NAMES[type] ?? `Message ${JSON.stringify(type)} ${show(body)}`;
  }
}

/** `name:type(modifier)@number-in-table/binary` */
function column(read: Reader): string {
  const name = read.cstring();
  const table = read.int32();
  const attribute = read.int16();
  const type = oid(read.int32());
  read.int16();
  const modifier = read.int32();
  const format = read.int16();
  return `${name}:${type}${modifier === -1 ? '' : `(${modifier})`}${table === 0 ? '' : `@${attribute}`}${format === 1 ? '/binary' : ''}`;
}

function report(name: string, read: Reader): string {
  const fields = new Map<string, string>();
  for (let code = read.text(1); code !== '\0'; code = read.text(1)) fields.set(code, read.cstring());
  // Where a statement just was when the cancel came is a matter of luck.
  if (fields.get('M') === CANCELED) fields.delete('W');
  const more = Object.entries(ERROR_FIELDS).flatMap(([code, label]) => {
    // Sessions take temporary schemas as they are free.
    const value = fields.get(code)?.replace(/^pg_temp_\d+$/, 'pg_temp_N');
    return value === undefined ? [] : [`${label}=${/^\d+$/.test(value) ? value : JSON.stringify(value)}`];
  });
  const message = JSON.stringify(fields.get('M'));
  return [name, fields.get('S'), fields.get('C'), message, ...more].join(' ');
}

function copyResponse(type: string, read: Reader): string {
  const name = { G: 'CopyInResponse', H: 'CopyOutResponse', W: 'CopyBothResponse' }[type];
  const overall = read.text(1) === '\0' ? 'text' : 'binary';
  return `${name} ${overall} columns=${read.list(() => read.int16()).join(',')}`;
}

function oid(value: number): string {
  return value >= FIRST_NORMAL_OID ? 'own-type' : String(value);
}

/** Text as a JSON string; anything else in hexadecimal. */
function show(data: Buffer): string {
  const text = data.toString('utf8');
  const control = data.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d);
  const plain = !control && !text.includes('\ufffd');
  return plain ? JSON.stringify(text) : `x'${data.toString('hex')}'`;
}

class Reader {
  readonly #body: Buffer;
  #at = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  int16(): number {
    this.#at += 2;
    return this.#body.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#body.readInt32BE(this.#at - 4);
  }

  text(length: number): string {
    this.#at += length;
    return this.#body.toString('latin1', this.#at - length, this.#at);
  }

  cstring(): string {
    const end = this.#body.indexOf(0, this.#at);
    const text = this.#body.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  sized(): string {
    const length = this.int32();
    if (length === -1) return 'null';
    this.#at += length;
    return show(this.#body.subarray(this.#at - length, this.#at));
  }

  list<T>(one: () => T): T[] {
    return Array.from({ length: this.int16() }, one);
  }
}
