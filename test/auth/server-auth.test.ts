import fc from 'fast-check';
import t from 'tap';
import { ScramClient } from '../../src/auth/scram-client.js';
import type { AuthStep, ServerAuthOptions } from '../../src/auth/server-auth.js';
import { makeMd5, makeScram, parseVerifier, type Verifier } from '../../src/auth/verifier.js';
import type { AuthMethod } from '../../src/config/config.js';
import { PgfigError } from '../../src/errors/pgfig-error.js';
import { AUTH, F } from '../../src/wire/types.js';
import { login, saslInitialBody, server } from './exchange.js';

const PLAIN = parseVerifier('pencil');
const MD5 = makeMd5('ann', 'pencil');
const SCRAM = makeScram('pencil');
const FAILED = {
  code: 'AUTH_FAILED',
  sqlstate: '28P01',
  severity: 'FATAL',
  message: 'password authentication failed for user "ann"',
};

/** Which question a step asks. */
const kind = (step: AuthStep): number | undefined => step.send[0]?.readInt32BE(5);
const text = (step: AuthStep): string => step.send[0]?.toString('latin1', 9) ?? '';

t.test('who comes in with the right password, and what is known of it then', async (t) => {
  const cases: [AuthMethod, Verifier, object][] = [
    ['password', PLAIN, { password: 'pencil', scram: null }],
    ['password', MD5, { password: 'pencil' }],
    ['password', SCRAM, { password: 'pencil' }],
    ['md5', PLAIN, { password: 'pencil', scram: null }],
    ['md5', MD5, { password: null, md5: MD5.kind === 'md5' ? MD5.hash : '', scram: null }],
    ['md5', SCRAM, { password: null, scram: { iterations: 4096 } }],
    ['scram-sha-256', PLAIN, { password: 'pencil', scram: null }],
    ['scram-sha-256', SCRAM, { password: null, scram: { iterations: 4096 } }],
  ];
  for (const [method, verifier, known] of cases) {
    t.match(await login({ method, verifier }, 'pencil'), { user: 'ann', ...known }, `${method}, ${verifier.kind}`);
  }
});

t.test('who does not', async (t) => {
  for (const method of ['password', 'md5', 'scram-sha-256'] as const) {
    for (const verifier of [PLAIN, MD5, SCRAM, null, parseVerifier('')]) {
      await t.rejects(login({ method, verifier }, 'pencils'), FAILED, `${method}, ${verifier?.kind}`);
    }
    await t.rejects(login({ method, verifier: null }, 'pencil'), FAILED);
  }
  await t.rejects(login({ verifier: MD5 }, 'pencil'), FAILED, 'an md5 verifier is of no use for SCRAM');
});

t.test('an empty password never comes in', async (t) => {
  for (const verifier of [parseVerifier(''), makeMd5('ann', ''), makeScram('')]) {
    await t.rejects(login({ method: 'password', verifier }, ''), { code: 'AUTH_FAILED' });
  }
  await t.rejects(login({ method: 'md5', verifier: parseVerifier('') }, ''), FAILED);
  await t.rejects(login({ method: 'scram-sha-256', verifier: parseVerifier('') }, ''), FAILED);
});

t.test('the client learns no reason, the log does', async (t) => {
  const errors: PgfigError[] = [];
  for (const verifier of [null, SCRAM, MD5]) {
    await login({ verifier }, 'wrong').catch((error: PgfigError) => errors.push(error));
  }
  t.strictSame(new Set(errors.map(({ message, detail, hint }) => JSON.stringify([message, detail, hint]))).size, 1);
  t.strictSame(new Set(errors.map(({ cause }) => (cause as Error).message)).size, 3);
});

t.test('keys of a SCRAM login serve for the next one', async (t) => {
  const known = await login({ verifier: SCRAM }, 'pencil');
  t.match(await login({ verifier: SCRAM }, known), { scram: { iterations: 4096 } });
  await t.rejects(login({ verifier: makeScram('pencil') }, known), { code: 'BACKEND_LOGIN_FAILED' }, 'another salt');
});

t.test('trust and cert', async (t) => {
  t.strictSame(await login({ method: 'trust' }, null), { user: 'ann', password: null, md5: null, scram: null });
  t.match(await login({ method: 'trust', verifier: PLAIN }, null), { password: 'pencil' }, 'for backends that ask');
  t.match(await login({ method: 'trust', verifier: parseVerifier('') }, null), { password: null });
  t.match(await login({ method: 'cert', certificateName: 'ann' }, null), { user: 'ann' });
  const refused = { code: 'AUTH_NOT_ALLOWED', message: 'certificate authentication failed for user "ann"' };
  for (const certificateName of [null, 'bob', '', 'ANN']) {
    await t.rejects(login({ method: 'cert', certificateName }, null), refused);
  }
});

t.test('names cannot be probed: unknown users are challenged like others', async (t) => {
  const challenge = (options: Partial<ServerAuthOptions>): string => {
    const auth = server(options);
    t.equal(kind(auth.start()), AUTH.Sasl);
    const step = auth.onMessage(F.Password, saslInitialBody('SCRAM-SHA-256', 'n,,n=,r=nonce')) as AuthStep;
    t.equal(kind(step), AUTH.SaslContinue);
    return text(step).replace(/^r=nonce[^,]+/, '');
  };
  t.match(challenge({ user: 'nobody' }), /^,s=[A-Za-z0-9+/]{22}==,i=4096$/);
  t.equal(challenge({ user: 'nobody' }), challenge({ user: 'nobody' }), 'the same salt each time');
  t.not(challenge({ user: 'nobody' }), challenge({ user: 'no-one' }));
  t.not(challenge({ user: 'nobody' }), challenge({ user: 'nobody', mockKey: Buffer.from('other') }));
  t.equal(challenge({ user: 'ann', verifier: PLAIN }), challenge({ user: 'ann' }), 'a password has no salt of its own');
  t.match(challenge({ user: 'nobody', mockIterations: 10_000 }), /,i=10000$/);
});

t.test('what a client may send when', async (t) => {
  const violation = (message: string | RegExp) => ({ sqlstate: '08P01', severity: 'FATAL', message });
  const started = (method: AuthMethod): ReturnType<typeof server> => {
    const auth = server({ method, verifier: SCRAM });
    auth.start();
    return auth;
  };
  const initial = saslInitialBody('SCRAM-SHA-256', 'n,,n=,r=x');
  t.throws(
    () => started('password').onMessage(F.Query, Buffer.from('x\0')),
    violation(/^expected password response, got message type 81$/),
  );
  t.throws(() => started('scram-sha-256').onMessage(F.Query, Buffer.from('x\0')), violation(/^expected SASL response/));
  t.throws(() => server({}).onMessage(F.Password, initial), violation(/^expected/), 'before it was asked');
  t.throws(
    () => started('scram-sha-256').onMessage(F.Password, saslInitialBody('SCRAM-SHA-256-PLUS', 'x')),
    violation('client selected an invalid SASL authentication mechanism'),
  );
  t.throws(() => started('scram-sha-256').onMessage(F.Password, Buffer.from('no end')), violation(/invalid string/));
  t.throws(
    () => started('scram-sha-256').onMessage(F.Password, initial.subarray(0, 16)),
    violation(/insufficient data/),
  );
  t.throws(
    () => started('scram-sha-256').onMessage(F.Password, initial.subarray(0, -1)),
    violation(/invalid message format/),
  );
  for (const body of ['', 'no end', 'a\0b\0']) {
    t.throws(
      () => started('password').onMessage(F.Password, Buffer.from(body)),
      violation('invalid password packet size'),
    );
  }
  t.throws(() => started('password').onMessage(F.Password, Buffer.from([0])), { message: /^empty password/ });
  const over = started('trust');
  t.throws(() => over.onMessage(F.Password, Buffer.from('x\0')), violation(/^expected/), 'after it is over');
});

t.test("a password that is not UTF-8 is nobody's", async (t) => {
  const auth = server({ method: 'password', verifier: parseVerifier('\ufffd') });
  auth.start();
  await t.rejects(Promise.resolve(auth.onMessage(F.Password, Buffer.from([0xff, 0]))), FAILED);
});

t.test('a client that sends its first SCRAM message only when asked', async (t) => {
  const client = new ScramClient('ann', { password: 'pencil', scram: null });
  const auth = server({ verifier: SCRAM });
  auth.start();
  const empty = auth.onMessage(F.Password, saslInitialBody('SCRAM-SHA-256', null)) as AuthStep;
  t.equal(kind(empty), AUTH.SaslContinue);
  t.equal(text(empty), '');
  const challenge = auth.onMessage(F.Password, Buffer.from(client.initial())) as AuthStep;
  const last = await auth.onMessage(F.Password, Buffer.from(client.answer(text(challenge))));
  t.strictSame(
    last.send.map((message) => message.readInt32BE(5)),
    [AUTH.SaslFinal, AUTH.Ok],
  );
  t.not(last.done, null);
  t.doesNotThrow(() => client.verify(text(last)));
});

t.test('random messages: nobody comes in, and only a PgfigError escapes', async () => {
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .constantFrom('SCRAM-SHA-256\0\0\0\0\x09n,,n=,r=x', 'c=biws,r=x,p=AAAA', 'x\0')
      .map((s) => Buffer.from(s, 'latin1')),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<AuthMethod>('password', 'md5', 'scram-sha-256'),
      fc.constantFrom(PLAIN, MD5, SCRAM, null),
      fc.array(body, { minLength: 1, maxLength: 4 }),
      async (method, verifier, bodies) => {
        const auth = server({ method, verifier });
        auth.start();
        try {
          for (const bytes of bodies) if ((await auth.onMessage(F.Password, bytes)).done !== null) return false;
        } catch (error) {
          if (!(error instanceof PgfigError)) throw error;
        }
        return true;
      },
    ),
    { numRuns: 500 },
  );
});
