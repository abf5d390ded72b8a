import t from 'tap';
import { readAuthRow, verifierOfRow } from '../../src/auth/auth-query.js';

const NOW = new Date('2026-01-01T00:00:00Z');

t.test('VALID UNTIL', async (t) => {
  const at = (validUntil: Date | null): unknown => verifierOfRow({ verifier: 'x', validUntil }, NOW);
  t.strictSame(at(null), { kind: 'plain', password: 'x' });
  t.not(at(new Date('2026-01-01T00:00:01Z')), null);
  t.equal(at(NOW), null, 'that moment is over');
  t.equal(at(new Date('2025-12-31T23:59:59Z')), null);
  t.equal(at(new Date(Number.NaN)), null, 'in doubt it is over');
  t.equal(verifierOfRow(null), null);
  t.equal(verifierOfRow({ verifier: null, validUntil: null }), null);
  t.equal(verifierOfRow({ verifier: '', validUntil: null }), null);
});

t.test('rows as Postgres and pg give them', async (t) => {
  const until = (value: unknown): string | null =>
    readAuthRow(['ann', 'x', value], 'ann').validUntil?.toISOString() ?? null;
  t.equal(until('2031-05-01 12:00:00+00'), '2031-05-01T12:00:00.000Z');
  t.equal(until('2031-05-01 12:00:00.25+05:30'), '2031-05-01T06:30:00.250Z');
  t.equal(until('2031-05-01 12:00:00-02'), '2031-05-01T14:00:00.000Z');
  t.equal(until(new Date('2031-05-01T12:00:00Z')), '2031-05-01T12:00:00.000Z');
  for (const forever of [null, undefined, 'infinity', Number.POSITIVE_INFINITY]) t.equal(until(forever), null);
  for (const doubtful of ['-infinity', Number.NEGATIVE_INFINITY, 'May 1 2031', '', 7, '0044-03-15 00:00:00+00 BC']) {
    t.equal(until(doubtful), new Date(0).toISOString(), String(doubtful));
  }
  t.strictSame(readAuthRow(['ann', null], 'ann'), { verifier: null, validUntil: null });
  t.throws(() => readAuthRow(['bob', 'x'], 'ann'), { code: 'AUTH_FAILED', message: /"ann"/ }, "somebody else's row");
  t.throws(() => readAuthRow([], 'ann'), { code: 'AUTH_FAILED' });
});
