import t from 'tap';
import type { SessionStart } from '../../src/session/login/session-start-facts.js';
import { SearchPath } from '../../src/session/names/search-path.js';
import { splitPath } from '../../src/session/names/split-path.js';
import type { SessionLink } from '../../src/session/session-link.js';
import type { Traffic } from '../../src/session/traffic.js';

function make(params: Record<string, string> = {}, configured: readonly string[] | null = null): SearchPath {
  const catalog = { initialSearchPath: (): readonly string[] | null => configured };
  const start = { info: { user: 'ada' }, params: new Map(Object.entries(params)) };
  return new SearchPath({ catalog } as unknown as Traffic, start as unknown as SessionStart, 'monolith');
}

t.test('a list is split as Postgres does', async (t) => {
  const cases: [string, string[]][] = [
    ['public', ['public']],
    ['"$user", public', ['$user', 'public']],
    [' a ,\tB,  "C d" ', ['a', 'b', 'C d']],
    ['"a,b", "say ""hi"""', ['a,b', 'say "hi"']],
    ['', []],
    ['""', []],
    ['$user', ['$user']],
    ['schéma', ['schéma']],
  ];
  for (const [text, parts] of cases) t.strictSame(splitPath(text), parts, JSON.stringify(text));
});

t.test('where a session begins', async (t) => {
  t.strictSame(make().schemas, ['ada', 'public'], "the server's own default");
  t.strictSame(make({}, ['shop', '$user']).schemas, ['shop', 'ada'], 'what the server has configured');
  t.strictSame(make({ search_path: 'orders' }, ['shop']).schemas, ['orders'], 'what the client asks for');
  t.strictSame(make({ options: '-c search_path=a,B' }, ['shop']).schemas, ['a', 'b'], 'in its options');
  t.strictSame(make({ options: '-csearch_path=a --search-path=b' }).schemas, ['b'], 'the last of them');
  t.strictSame(make({ options: '-c geqo=off' }, ['shop']).schemas, ['shop'], 'other options say nothing');
  t.strictSame(make({ search_path: '' }).schemas, [], 'none at all');
});

t.test('what is learned', async (t) => {
  const path = make();
  t.ok(path.learn('orders, "$user"'));
  t.strictSame(path.schemas, ['orders', 'ada']);
  t.notOk(path.learn('orders,ada'), 'the same');
  t.ok(path.learn('""'));
  t.strictSame(path.schemas, []);
});

t.test('the link where it may have changed is asked once', async (t) => {
  const path = make();
  const [one, two] = [{}, {}] as unknown as [SessionLink, SessionLink];
  t.equal(path.takeAsk(), null);
  path.outdated(one);
  path.outdated(two);
  t.equal(path.takeAsk(), two);
  t.equal(path.takeAsk(), null);
});
