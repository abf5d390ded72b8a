import t from 'tap';
import {
  AuthQueryLookup,
  DEFAULT_AUTH_QUERY,
  readAuthRow,
  UserLookupChain,
  verifierOfRow,
} from '../../src/auth/auth-query.js';
import { parseVerifier } from '../../src/auth/verifier.js';
import { PgfigError } from '../../src/errors/pgfig-error.js';

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

t.test('looking up', async (t) => {
  const asked: unknown[] = [];
  const lookup = new AuthQueryLookup(async (sql, user) => {
    asked.push([sql, user]);
    return user === 'ann' ? { verifier: 'x', validUntil: null } : null;
  });
  t.match(await lookup.find('ann'), { kind: 'plain' });
  t.equal(await lookup.find('bob'), null);
  t.strictSame(asked[0], [DEFAULT_AUTH_QUERY, 'ann']);
});

t.test('when users cannot be looked up, it is not the password that is wrong', async (t) => {
  const broken = new AuthQueryLookup(() => Promise.reject(new Error('connection to 10.0.0.1 refused')));
  await t.rejects(broken.find('ann'), { sqlstate: '57P03', message: 'users cannot be looked up at the moment' });
  const typed = new AuthQueryLookup(() => Promise.reject(new PgfigError('BACKEND_UNREACHABLE', 'down')));
  await t.rejects(typed.find('ann'), { code: 'BACKEND_UNREACHABLE' });
});

t.test('one place after the other', async (t) => {
  const list = new Map([['ann', parseVerifier('a')]]);
  const chain = new UserLookupChain([
    { find: (user) => list.get(user) ?? null },
    new AuthQueryLookup(async () => ({ verifier: 'b', validUntil: null })),
  ]);
  t.match(await chain.find('ann'), { password: 'a' });
  t.match(await chain.find('bob'), { password: 'b' });
  t.equal(await new UserLookupChain([]).find('ann'), null);
});
