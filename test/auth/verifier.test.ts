import t from 'tap';
import {
  checkPassword,
  formatVerifier,
  makeMd5,
  makeScram,
  md5Answer,
  md5Hash,
  parseVerifier,
} from '../../src/auth/verifier.js';

/** Password `pencil` of the user `ann`: printf pencilann | md5sum */
const MD5 = 'md528754acffc5400623f44a44d30b50393';

t.test('the three kinds', async (t) => {
  const scram = formatVerifier(makeScram('pencil'));
  t.match(scram, /^SCRAM-SHA-256\$4096:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/);
  for (const secret of [scram, MD5, 'pencil', '', 'md5 but not really', 'SCRAM-SHA-256$x']) {
    t.equal(formatVerifier(parseVerifier(secret)), secret);
  }
  t.equal(parseVerifier(scram).kind, 'scram');
  t.equal(parseVerifier(MD5).kind, 'md5');
});

t.test('what only looks like a verifier is a password, as in Postgres', async (t) => {
  const scram = formatVerifier(makeScram('pencil'));
  for (const secret of [
    MD5.toUpperCase(),
    `${MD5}0`,
    MD5.slice(0, -1),
    scram.slice(0, -1),
    scram.replace('$4096', '$0'),
    scram.replace('$4096', '$many'),
    scram.replace('SHA-256', 'SHA-512'),
    `${scram}:x`,
    scram.replace(/:[^:]+$/, ':AAAA'),
  ]) {
    t.strictSame(parseVerifier(secret), { kind: 'plain', password: secret });
  }
});

t.test('checking a password', async (t) => {
  const verifiers = [parseVerifier('pencil'), makeMd5('ann', 'pencil'), makeScram('pencil', Buffer.alloc(16, 1), 10)];
  for (const verifier of verifiers) {
    t.equal(await checkPassword(verifier, 'ann', 'pencil'), true, verifier.kind);
    t.equal(await checkPassword(verifier, 'ann', 'pencils'), false, verifier.kind);
    t.equal(await checkPassword(verifier, 'ann', ''), false, verifier.kind);
  }
  t.equal(await checkPassword(makeMd5('ann', 'pencil'), 'bob', 'pencil'), false, 'md5 holds the name');
  for (const empty of [parseVerifier(''), makeMd5('ann', ''), makeScram('')]) {
    t.equal(await checkPassword(empty, 'ann', ''), false, 'an empty password is none');
  }
});

t.test('md5 by its definition', async (t) => {
  t.equal(md5Hash('ann', 'pencil'), MD5);
  // md5sum of the hash's digits and the bytes 1 2 3 4
  t.equal(md5Answer(MD5, Buffer.from([1, 2, 3, 4])), 'md57a54f810f22603a6e57c5628653701a4');
});
