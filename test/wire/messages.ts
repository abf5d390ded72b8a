/** Messages of every kind, by the decoder that reads their body; shared by the tests of this folder. */
import * as backend from '../../src/wire/backend-messages.js';
import * as decode from '../../src/wire/decode.js';
import * as frontend from '../../src/wire/frontend-messages.js';

export type Decoder = (buf: Buffer, start: number, end: number) => unknown;

export interface Sample {
  readonly name: string;
  readonly message: Buffer;
  readonly decoder: Decoder;
}

/** A message of a type that pgfig never sends. */
export function raw(type: string, ...parts: (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const header = Buffer.alloc(5);
  header.write(type, 'latin1');
  header.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

const ERROR: backend.ErrorFields = {
  severity: 'ERROR',
  code: '42P01',
  message: 'relation "orders" does not exist',
  detail: 'détail',
  hint: 'hint',
  position: 15,
  internalPosition: 3,
  internalQuery: 'SELECT 1',
  where: 'PL/pgSQL function f()',
  schema: 'public',
  table: 'orders',
  column: 'id',
  dataType: 'int4',
  constraint: 'orders_pkey',
  file: 'parse_relation.c',
  line: 1392,
  routine: 'parserOpenTable',
};

export const SAMPLES: readonly Sample[] = [
  { name: 'ErrorResponse', message: backend.errorResponse(ERROR), decoder: decode.decodeErrorFields },
  {
    name: 'NoticeResponse',
    message: backend.noticeResponse({ severity: 'NOTICE', code: '00000', message: 'hello' }),
    decoder: decode.decodeErrorFields,
  },
  {
    name: 'ParameterStatus',
    message: backend.parameterStatus('application_name', 'orders-sérvice'),
    decoder: decode.decodeParameterStatus,
  },
  {
    name: 'BackendKeyData',
    message: backend.backendKeyData(4_200_000, Buffer.from('0123456789abcdef0123456789abcdef')),
    decoder: decode.decodeBackendKeyData,
  },
  {
    name: 'NotificationResponse',
    message: backend.notificationResponse(77, 'changes', '{"id":1}'),
    decoder: decode.decodeNotification,
  },
  {
    name: 'RowDescription',
    message: backend.rowDescription([
      { name: 'id', typeOid: 20, tableOid: 4_000_000_000, columnNumber: 1, typeSize: 8 },
      { name: 'näme', typeOid: 1043, typeModifier: 54, format: 1 },
    ]),
    decoder: decode.decodeRowDescription,
  },
  {
    name: 'ParameterDescription',
    message: backend.parameterDescription([23, 4_294_967_295]),
    decoder: decode.decodeParameterDescription,
  },
  { name: 'DataRow', message: backend.dataRow(['1', null, '', 'üñí']), decoder: decode.decodeDataRow },
  { name: 'CommandComplete', message: backend.commandComplete('INSERT 0 12'), decoder: decode.decodeCommandTag },
  {
    name: 'NegotiateProtocolVersion',
    message: backend.negotiateProtocolVersion(2, ['_pq_.one', '_pq_.two']),
    decoder: decode.decodeNegotiateProtocolVersion,
  },
  { name: 'CopyInResponse', message: raw('G', Buffer.from([0, 0, 2, 0, 0, 0, 1])), decoder: decode.decodeCopyResponse },
  { name: 'Parse', message: frontend.parse('s1', 'SELECT $1', [23, 25]), decoder: decode.decodeParse },
  { name: 'Bind', message: frontend.bind('p1', 's1', ['x', null]), decoder: decode.decodeBindNames },
  { name: 'Describe', message: frontend.describeStatement('s1'), decoder: decode.decodeDescribe },
  { name: 'Close', message: frontend.closePortal('p1'), decoder: decode.decodeClose },
  { name: 'Execute', message: frontend.execute('p1', 50), decoder: decode.decodeExecute },
  { name: 'Query', message: frontend.query('SELECT 1'), decoder: decode.decodeQuery },
  { name: 'long Query', message: frontend.query(`SELECT '${'x'.repeat(300)}'`), decoder: decode.decodeQuery },
  { name: 'CopyFail', message: frontend.copyFail('no more'), decoder: decode.decodeCopyFail },
];

/** Decodes a whole message. */
export const decoded = (decoder: Decoder, message: Buffer): unknown => decoder(message, 5, message.length);
