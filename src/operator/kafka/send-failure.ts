/**
 * What a failed send means for its messages.
 * 'again': the broker is away, or not ready; the same batch may go later.
 * 'anew': the broker no longer knows this producer; the batch may go with a new one.
 * 'there': it was written by an earlier try.
 * 'never': the broker refuses these messages (too large, not allowed ...), now and later.
 */
export type Verdict = 'again' | 'anew' | 'there' | 'never';

/** Kafka's names of what is wrong with the producer and not with the messages (org.apache.kafka.common.protocol.Errors). */
const OF_THE_PRODUCER = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
]);

/** @param error what kafkajs's `send` has rejected with: what the broker said is somewhere along its causes */
export function verdictOn(error: unknown): Verdict {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (!('type' in at && typeof at.type === 'string')) continue;
    if (at.type === 'DUPLICATE_SEQUENCE_NUMBER') return 'there';
    if (OF_THE_PRODUCER.has(at.type)) return 'anew';
    return 'retriable' in at && at.retriable === false ? 'never' : 'again';
  }
  return 'again';
}

/** What is wrong with the messages, or with the right to write to their topic. */
const OF_THE_MESSAGES = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'CORRUPT_MESSAGE',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_TIMESTAMP',
  'TOPIC_AUTHORIZATION_FAILED',
  // Until somebody makes it: other topics' messages are not to wait for that.
  'UNKNOWN_TOPIC_OR_PARTITION',
  'POLICY_VIOLATION',
]);
/** INVALID_RECORD: a compacted topic and a message without a key, say. kafkajs does not know its name. */
const INVALID_RECORD = 87;

/** What a failed send of events means, and what the broker said. */
export function failureOf(error: unknown): {
  readonly kind: 'again' | 'fenced' | 'refused';
  readonly message: string;
} {
  const text = error instanceof Error ? error.message : String(error);
  const said = protocolError(error);
  if (said === null) return { kind: 'again', message: text };
  if (said.type === 'INVALID_PRODUCER_EPOCH') return { kind: 'fenced', message: said.message };
  const refused = OF_THE_MESSAGES.has(said.type) || said.code === INVALID_RECORD;
  return { kind: refused ? 'refused' : 'again', message: said.message };
}

export function isTooLarge(error: unknown): boolean {
  const type = protocolError(error)?.type;
  return type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE';
}

/** What the broker said is somewhere along the causes of what kafkajs throws. */
function protocolError(
  error: unknown,
): { readonly type: string; readonly code: number; readonly message: string } | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (!('type' in at && typeof at.type === 'string')) continue;
    return { type: at.type, code: 'code' in at ? Number(at.code) : 0, message: at.message };
  }
  return null;
}
