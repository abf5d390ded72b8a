import fc from 'fast-check';
import t from 'tap';
import { ClientAuth } from '../../src/auth/client-auth.js';
import { makeMd5, md5Answer, md5Hash } from '../../src/auth/verifier.js';
import { PgfigError } from '../../src/errors/pgfig-error.js';
import { AUTH } from '../../src/wire/types.js';
import { authentication, login, offers } from './exchange.js';

const FAILED = { code: 'BACKEND_LOGIN_FAILED' };
const SALT = Buffer.from([9, 8, 7, 6]);

t.test('a backend that asks nothing', async (t) => {
  t.equal(new ClientAuth('ann', null).onAuthentication(authentication(AUTH.Ok)), 'ok');
});

t.test('cleartext and MD5', async (t) => {
  const [cleartext] = new ClientAuth('ann', 'pencil').onAuthentication(authentication(AUTH.Cleartext));
  t.strictSame(cleartext, Buffer.from('p\0\0\0\x0bpencil\0', 'latin1'));
  const [md5] = new ClientAuth('ann', 'pencil').onAuthentication(authentication(AUTH.Md5, SALT));
  const expected = `${md5Answer(md5Hash('ann', 'pencil'), SALT)}\0`;
  t.equal((md5 as Buffer).toString('latin1', 5), expected);
  const hashOnly = { user: 'ann', password: null, md5: md5Hash('ann', 'pencil'), scram: null };
  const [byHash] = new ClientAuth('ann', hashOnly).onAuthentication(authentication(AUTH.Md5, SALT));
  t.equal((byHash as Buffer).toString('latin1', 5), expected);
  t.throws(() => new ClientAuth('bob', hashOnly).onAuthentication(authentication(AUTH.Md5, SALT)), FAILED);
  t.match(await login({ method: 'md5', verifier: makeMd5('ann', 'pencil') }, hashOnly), { user: 'ann' });
});

t.test('nothing known: the error says what to configure', async (t) => {
  const nothing = { ...FAILED, message: /pgfig has no password of that user/, hint: /url/ };
  for (const question of [authentication(AUTH.Cleartext), authentication(AUTH.Md5, SALT), offers('SCRAM-SHA-256')]) {
    t.throws(() => new ClientAuth('ann', null).onAuthentication(question), nothing);
  }
  const key = Buffer.alloc(32);
  const keys = { clientKey: key, storedKey: key, serverKey: key, salt: SALT, iterations: 1 };
  const scramOnly = { user: 'ann', password: null, scram: keys };
  for (const question of [authentication(AUTH.Cleartext), authentication(AUTH.Md5, SALT)]) {
    t.throws(() => new ClientAuth('ann', scramOnly).onAuthentication(question), {
      ...FAILED,
      message: /only SCRAM keys/,
      hint: /scram-sha-256/,
    });
  }
});

t.test('methods that pgfig does not speak', async (t) => {
  for (const [kind, name] of [
    [AUTH.Gss, /GSSAPI/],
    [AUTH.Sspi, /SSPI/],
    [AUTH.KerberosV5, /Kerberos/],
    [99, /method 99/],
  ] as const) {
    const auth = new ClientAuth('ann', 'x');
    t.throws(() => auth.onAuthentication(authentication(kind)), { ...FAILED, message: name, hint: /pg_hba/ });
  }
  const auth = new ClientAuth('ann', 'x');
  t.throws(() => auth.onAuthentication(offers('OAUTHBEARER')), { ...FAILED, message: /only OAUTHBEARER/ });
  const both = new ClientAuth('ann', 'x').onAuthentication(offers('SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'));
  t.match((both[0] as Buffer).toString('latin1', 5), /^SCRAM-SHA-256\0....n,,n=,r=/s);
});

t.test('a backend that does not prove itself, or asks out of turn', async (t) => {
  const begun = (): ClientAuth => {
    const auth = new ClientAuth('ann', 'x');
    auth.onAuthentication(offers('SCRAM-SHA-256'));
    return auth;
  };
  const unproven = { ...FAILED, message: /could not prove/ };
  t.throws(() => begun().onAuthentication(authentication(AUTH.Ok)), unproven);
  const challenged = begun();
  t.throws(() => challenged.onAuthentication(authentication(AUTH.SaslFinal, 'v=x')), { message: /out of turn/ });
  t.throws(() => begun().onAuthentication(offers('SCRAM-SHA-256')), { message: /out of turn/ });
  t.throws(() => begun().onAuthentication(authentication(AUTH.Cleartext)), { message: /out of turn/ }, 'downgrade');
  const done = new ClientAuth('ann', 'x');
  done.onAuthentication(authentication(AUTH.Ok));
  t.throws(() => done.onAuthentication(authentication(AUTH.Cleartext)), { message: /out of turn/ });
  t.throws(() => done.onAuthentication(authentication(AUTH.Ok)), { message: /out of turn/ });
});

t.test('random bodies: only a PgfigError escapes', async () => {
  const kind = fc.constantFrom(0, 3, 5, 7, 10, 11, 12);
  const data = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(Buffer.from('SCRAM-SHA-256\0\0')));
  fc.assert(
    fc.property(fc.array(fc.tuple(kind, data), { maxLength: 5 }), (messages) => {
      const auth = new ClientAuth('ann', 'x');
      try {
        for (const [type, bytes] of messages) auth.onAuthentication(authentication(type, bytes));
      } catch (error) {
        if (!(error instanceof PgfigError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5 }), (bytes) => {
      try {
        new ClientAuth('ann', 'x').onAuthentication(bytes);
      } catch (error) {
        if (!(error instanceof PgfigError)) throw error;
      }
    }),
  );
});
