import type { SessionCore } from '../session-core.js';

/** Names that PostgreSQL and TextDecoder call differently. */
const DECODER_NAMES: Record<string, string> = {
  LATIN1: 'latin1',
  LATIN2: 'iso-8859-2',
  LATIN9: 'iso-8859-15',
  WIN1250: 'windows-1250',
  WIN1251: 'windows-1251',
  WIN1252: 'windows-1252',
  EUC_JP: 'euc-jp',
  SJIS: 'shift_jis',
  EUC_KR: 'euc-kr',
  UHC: 'euc-kr',
  GBK: 'gbk',
  GB18030: 'gb18030',
  BIG5: 'big5',
  KOI8R: 'koi8-r',
  KOI8U: 'koi8-u',
};

const isAscii = (buf: Buffer, start: number, end: number): boolean => {
  for (let i = start; i < end; i++) if ((buf[i] as number) > 127) return false;
  return true;
};

/**
 * The SQL text of a message body that begins at `start`, in UTF-8, as [buffer, start, end) without its NUL.
 * In another client_encoding, text beyond ASCII is decoded first: its bytes may look like quotes and backslashes.
 */
export function textOf(
  session: SessionCore,
  chunk: Buffer,
  start: number,
  messageEnd: number,
): [Buffer, number, number] {
  const nul = messageEnd - 1;
  const end = chunk[nul] === 0 && chunk.indexOf(0, start) === nul ? nul : endOf(chunk, start, messageEnd);
  const encoding = session.client.reported.get('client_encoding');
  if (encoding === undefined || encoding === 'UTF8' || encoding === 'SQL_ASCII' || isAscii(chunk, start, end)) {
    return [chunk, start, end];
  }
  const name = DECODER_NAMES[encoding];
  const text =
    name === undefined ? chunk.latin1Slice(start, end) : new TextDecoder(name).decode(chunk.subarray(start, end));
  const utf8 = Buffer.from(text, 'utf8');
  return [utf8, 0, utf8.length];
}

/** A text that is not terminated, or goes on behind its NUL, is left to the backend to refuse. */
function endOf(chunk: Buffer, start: number, messageEnd: number): number {
  const nul = chunk.indexOf(0, start);
  return nul < 0 || nul >= messageEnd ? messageEnd : nul;
}
