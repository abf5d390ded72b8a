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
