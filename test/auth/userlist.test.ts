import t from 'tap';
import { parseUserlist } from '../../src/auth/userlist.js';
import { formatVerifier, makeScram } from '../../src/auth/verifier.js';

t.test('a userlist of PgBouncer', async (t) => {
  const scram = formatVerifier(makeScram('x'));
  const text = [
    '\ufeff; users of the shop',
    '',
    '"ann" "pencil"',
    '  "bob"\t"md5a3dd48b0c4d9c5fcb3bd3e9c6b5f3f3f" ignored "rest"',
    `"carol" "${scram}"\r`,
    '"quo""te" "a ""b"" ; c"',
    '"nopass" ""',
    '"ann" "later"; a comment',
  ].join('\n');
  const users = parseUserlist(text, 'userlist.txt');
  t.strictSame([...users.keys()], ['ann', 'bob', 'carol', 'quo"te', 'nopass']);
  t.match(users.get('ann'), { kind: 'plain', password: 'later' });
  t.match(users.get('bob'), { kind: 'md5' });
  t.match(users.get('carol'), { kind: 'scram', iterations: 4096 });
  t.match(users.get('quo"te'), { kind: 'plain', password: 'a "b" ; c' });
  t.match(users.get('nopass'), { kind: 'plain', password: '' });
  t.equal(parseUserlist('', 'f').size, 0);
});

t.test('errors tell the line, never the secret', async (t) => {
  for (const [line, reason] of [
    ['ann "hunter2"', 'a line must begin with a user in double quotes, or with ; for a comment'],
    ['"ann" hunter2', 'after the user must come a secret in double quotes'],
    ['"ann"', 'after the user must come a secret in double quotes'],
    ['"ann" "hunter2', 'a double quote is not closed; within quotes it is written twice'],
    ['"ann" "hunter2"x"', 'a double quote is not closed; within quotes it is written twice'],
    ['"ann""hunter2"', 'after the user must come a secret in double quotes'],
    ['"" "hunter2"', 'the user has no name'],
  ] as const) {
    t.throws(
      () => parseUserlist(`; comment\n"bob" "x"\n${line}\n`, 'etc/userlist.txt'),
      { code: 'CONFIG_INVALID', message: `etc/userlist.txt:3: ${reason}` },
      line,
    );
  }
});
