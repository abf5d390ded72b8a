import fc from 'fast-check';
import t from 'tap';
import { ScramClient } from '../../src/auth/scram-client.js';
import { deriveKeys, deriveKeysSync, hmac, preparePassword, xor } from '../../src/auth/scram-keys.js';
import {
  parseClientFinal,
  parseClientFirst,
  parseServerFinal,
  parseServerFirst,
} from '../../src/auth/scram-messages.js';
import { ScramServer } from '../../src/auth/scram-server.js';
import { PgfigError } from '../../src/errors/pgfig-error.js';

/** The example of RFC 7677, section 3: user `user`, password `pencil`. */
const RFC = {
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};
const SALT = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
const KEYS = deriveKeysSync('pencil', SALT, 4096);

t.test('RFC 7677: the server', async (t) => {
  const server = new ScramServer(RFC.serverNonce);
  t.equal(server.challenge(RFC.clientFirst, KEYS), RFC.serverFirst);
  const proven = server.verify(RFC.clientFinal, KEYS);
  t.equal(proven?.serverFinal, RFC.serverFinal);
  t.strictSame(proven?.keys.clientKey, KEYS.clientKey, 'the ClientKey is found in the proof');
});

t.test('RFC 7677: proof and signature from the keys', async (t) => {
  const withoutProof = RFC.clientFinal.slice(0, RFC.clientFinal.indexOf(',p='));
  const signed = `${RFC.clientFirst.slice(3)},${RFC.serverFirst},${withoutProof}`;
  const proof = xor(KEYS.clientKey, hmac(KEYS.storedKey, signed)).toString('base64');
  t.equal(`${withoutProof},p=${proof}`, RFC.clientFinal);
  t.equal(`v=${hmac(KEYS.serverKey, signed).toString('base64')}`, RFC.serverFinal);
});

t.test('client against server, by password and by keys', async (t) => {
  for (const source of [
    { password: 'pencil', scram: null },
    { password: null, scram: KEYS },
  ]) {
    const client = new ScramClient('user', source);
    const server = new ScramServer();
    const final = client.answer(server.challenge(client.initial(), KEYS));
    const proven = server.verify(final, KEYS);
    t.not(proven, null);
    t.doesNotThrow(() => client.verify(proven?.serverFinal ?? ''));
  }
});

t.test('a wrong password, a proof with one bit changed', async (t) => {
  const client = new ScramClient('user', { password: 'pencils', scram: null });
  const server = new ScramServer();
  t.equal(server.verify(client.answer(server.challenge(client.initial(), KEYS)), KEYS), null);
  const again = new ScramServer(RFC.serverNonce);
  again.challenge(RFC.clientFirst, KEYS);
  t.equal(again.verify(RFC.clientFinal.replace('p=dHzb', 'p=dHzc'), KEYS), null);
});

t.test("what the server refuses of a client's first message", async (t) => {
  const refused = (text: string, error: { sqlstate: string; message: string | RegExp }): unknown =>
    t.throws(() => parseClientFirst(text), error, text);
  refused('p=tls-server-end-point,,n=,r=x', { sqlstate: '08P01', message: /includes channel binding data/ });
  refused('n,a=bob,n=,r=x', { sqlstate: '0A000', message: /authorization identity/ });
  refused('n,,m=x,n=,r=x', { sqlstate: '0A000', message: /unsupported SCRAM extension/ });
  refused('n,,n=,r=x\x7f', { sqlstate: '08P01', message: /non-printable/ });
  for (const text of [
    '',
    'n',
    'n,',
    'n,,',
    'z,,n=,r=x',
    'n,,n=,r=',
    'n,,r=x',
    'n,,n=x',
    'n;,n=,r=x',
    'n,,n=,r=x,junk',
  ]) {
    refused(text, { sqlstate: '08P01', message: 'malformed SCRAM message' });
  }
  t.match(parseClientFirst('y,,n=,r=abc'), { gs2Header: 'y,,', nonce: 'abc' });
  t.match(parseClientFirst('n,,n=ann,r=abc,x=future'), { nonce: 'abc' });
});

t.test('a client with the flag y is let in, and must repeat it', async (t) => {
  const first = RFC.clientFirst.replace('n,,', 'y,,');
  const server = new ScramServer(RFC.serverNonce);
  const signed = `${first.slice(3)},${server.challenge(first, KEYS)},`;
  const final = (binding: string): string => {
    const withoutProof = `c=${binding},r=rOprNGfwEbeRWgbNEkqO${RFC.serverNonce}`;
    return `${withoutProof},p=${xor(KEYS.clientKey, hmac(KEYS.storedKey, signed + withoutProof)).toString('base64')}`;
  };
  t.not(server.verify(final('eSws'), KEYS), null);
  t.throws(() => server.verify(final('biws'), KEYS), { message: /unexpected SCRAM channel-binding/ });
});

t.test("what the server refuses of a client's last message", async (t) => {
  const server = new ScramServer(RFC.serverNonce);
  server.challenge(RFC.clientFirst, KEYS);
  const other = RFC.clientFinal.replace('r=rOpr', 'r=xOpr');
  t.throws(() => server.verify(other, KEYS), { message: 'invalid SCRAM response', detail: 'Nonce does not match.' });
  for (const text of ['', 'c=biws', 'c=biws,r=x', 'c=biws,r=x,p=', 'c=biws,r=x,p=AAAA', `${RFC.clientFinal},x=y`]) {
    t.throws(() => parseClientFinal(text), { message: 'malformed SCRAM message' }, text);
  }
});

t.test('what the client refuses', async (t) => {
  const failed = { code: 'BACKEND_LOGIN_FAILED' };
  const answer = (serverFirst: (nonce: string) => string, source = { password: 'x', scram: null }): string => {
    const client = new ScramClient('ann', source, 'nonce');
    return client.answer(serverFirst('nonce'));
  };
  t.throws(() => answer(() => 'r=other,s=AAAA,i=4096'), { ...failed, message: /not for this login/ });
  t.throws(() => answer((nonce) => `r=${nonce},s=AAAA,i=4096`), { ...failed, message: /not for this login/ });
  t.throws(() => answer((nonce) => `r=${nonce}x,s=AAAA,i=0`), { ...failed, message: /malformed/ });
  t.throws(() => answer((nonce) => `r=${nonce}x,s=A-A,i=1`), { ...failed, message: /malformed/ });
  t.throws(() => answer((nonce) => `r=${nonce}x,s=AAAA,i=2000000`), { ...failed, message: /2000000 SCRAM iterations/ });

  const client = new ScramClient('ann', { password: 'pencil', scram: null }, 'nonce');
  client.answer(`r=noncex,s=${SALT.toString('base64')},i=4096`);
  t.throws(() => client.verify('e=other-error'), { ...failed, message: /other-error/ });
  t.throws(() => client.verify('v=AAAA'), { ...failed, message: /malformed/ });
  t.throws(() => client.verify(`v=${Buffer.alloc(32).toString('base64')}`), { ...failed, message: /could not prove/ });
});

t.test('keys serve only where salt and iterations are theirs', async (t) => {
  const answer = (salt: Buffer, iterations: number): string => {
    const client = new ScramClient('ann', { password: null, scram: KEYS }, 'nonce');
    return client.answer(`r=noncex,s=${salt.toString('base64')},i=${iterations}`);
  };
  const failed = { code: 'BACKEND_LOGIN_FAILED', message: /not the one that pgfig knows/, hint: /same verifier/ };
  t.doesNotThrow(() => answer(SALT, 4096));
  t.throws(() => answer(SALT, 4097), failed);
  t.throws(() => answer(Buffer.alloc(16), 4096), failed);
});

t.test('passwords are prepared as Postgres does', async (t) => {
  t.equal(preparePassword('pencil'), 'pencil');
  t.equal(preparePassword('I\u00adX'), 'IX', 'mapped to nothing');
  t.equal(preparePassword('a\u00a0b'), 'a b', 'mapped to space');
  t.equal(preparePassword('\u2168'), 'IX', 'NFKC');
  t.equal(preparePassword('a\u0007'), 'a\u0007', 'ASCII is never changed, control characters included');
  t.equal(preparePassword('\u0627\u0031'), '\u0627\u0031', 'prohibited (bidi): as it is');
  t.equal(preparePassword('\u00ad'), '\u00ad', 'nothing left: as it is');
  t.strictSame(deriveKeysSync('\u2168', SALT, 1), deriveKeysSync('IX', SALT, 1));
});

t.test('both ways of deriving give the same, also from the cache', async (t) => {
  for (let i = 0; i < 2; i++) t.strictSame(await deriveKeys('pencil', SALT, 4096), KEYS);
  t.strictSame(await deriveKeys('päss', SALT, 100), deriveKeysSync('päss', SALT, 100));
  t.notSame(await deriveKeys('pencil', SALT, 101), deriveKeysSync('pencil', SALT, 100));
});

t.test('random texts: only a PgfigError escapes', async () => {
  const piece = fc.constantFrom(
    'n',
    'y',
    'p=',
    ',',
    'n=',
    'r=',
    'c=',
    's=',
    'i=',
    'v=',
    'e=',
    'biws',
    'AAAA',
    '1',
    '=',
    'ä',
    '\0',
  );
  const text = fc.array(piece, { maxLength: 16 }).map((pieces) => pieces.join(''));
  for (const parse of [parseClientFirst, parseClientFinal, parseServerFirst, parseServerFinal]) {
    fc.assert(
      fc.property(text, (input) => {
        try {
          parse(input);
        } catch (error) {
          if (!(error instanceof PgfigError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  }
});
