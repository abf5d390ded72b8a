/**
 * The bytes that name things on the wire.
 * Source: PostgreSQL documentation, 55.7 Message Formats.
 */

/** Type bytes of messages that a frontend sends. */
export const F = {
  Bind: 0x42, // B
  Close: 0x43, // C
  CopyData: 0x64, // d
  CopyDone: 0x63, // c
  CopyFail: 0x66, // f
  Describe: 0x44, // D
  Execute: 0x45, // E
  Flush: 0x48, // H
  FunctionCall: 0x46, // F
  Parse: 0x50, // P
  /** PasswordMessage, SASLInitialResponse, SASLResponse and GSSResponse share this byte. */
  Password: 0x70, // p
  Query: 0x51, // Q
  Sync: 0x53, // S
  Terminate: 0x58, // X
} as const;

/** Type bytes of messages that a backend sends. */
export const B = {
  Authentication: 0x52, // R
  BackendKeyData: 0x4b, // K
  BindComplete: 0x32, // 2
  CloseComplete: 0x33, // 3
  CommandComplete: 0x43, // C
  CopyBothResponse: 0x57, // W
  CopyData: 0x64, // d
  CopyDone: 0x63, // c
  CopyInResponse: 0x47, // G
  CopyOutResponse: 0x48, // H
  DataRow: 0x44, // D
  EmptyQueryResponse: 0x49, // I
  ErrorResponse: 0x45, // E
  FunctionCallResponse: 0x56, // V
  NegotiateProtocolVersion: 0x76, // v
  NoData: 0x6e, // n
  NoticeResponse: 0x4e, // N
  NotificationResponse: 0x41, // A
  ParameterDescription: 0x74, // t
  ParameterStatus: 0x53, // S
  ParseComplete: 0x31, // 1
  PortalSuspended: 0x73, // s
  ReadyForQuery: 0x5a, // Z
  RowDescription: 0x54, // T
} as const;

export type FrontendType = (typeof F)[keyof typeof F];
export type BackendType = (typeof B)[keyof typeof B];

/** What stands where a startup packet has its protocol version, when it is another kind of request. */
export const CANCEL_REQUEST = 80877102;
export const SSL_REQUEST = 80877103;
export const GSSENC_REQUEST = 80877104;

/** Protocol versions, major in the upper 16 bits. */
export const PROTOCOL_3_0 = 196608;
export const PROTOCOL_3_2 = 196610;
/** The newest minor version of protocol 3 that pgfig speaks. */
export const NEWEST_MINOR = 2;

/** The first Int32 of an Authentication message's body. */
export const AUTH = {
  Ok: 0,
  KerberosV5: 2,
  Cleartext: 3,
  Md5: 5,
  Gss: 7,
  GssContinue: 8,
  Sspi: 9,
  Sasl: 10,
  SaslContinue: 11,
  SaslFinal: 12,
} as const;

/** The one byte that answers SSLRequest and GSSENCRequest. */
export const ENCRYPTION_REFUSED = 0x4e; // N
export const SSL_ACCEPTED = 0x53; // S

/** Transaction status of ReadyForQuery. */
export type TransactionStatus = 'I' | 'T' | 'E';
