import t from 'tap';
import type { SessionLink } from '../../src/session/session-link.js';
import { Settings } from '../../src/session/transaction/settings.js';

const link = (settingsVersion = 0): SessionLink => ({ settingsVersion }) as unknown as SessionLink;

t.test('the link that changed a setting has it; another one lacks it once its value is known', async (t) => {
  const settings = new Settings();
  const [home, late] = [link(), link()];
  settings.changed('timezone', home);
  t.equal(home.settingsVersion, settings.version);
  t.not(late.settingsVersion, settings.version);
  t.strictSame(settings.askedLinks, [home]);
  t.strictSame(settings.unknownOn(home), ['timezone']);
  t.strictSame(settings.missingOn(late), [], 'its value is not known yet');
  settings.learn('timezone', 'UTC');
  t.strictSame(settings.askedLinks, []);
  t.strictSame(settings.missingOn(late), [['timezone', 'UTC']]);
  t.strictSame(settings.missingOn(home), []);
});

t.test('a link that lags behind lacks the older ones still after its own change', async (t) => {
  const settings = new Settings();
  const [home, other] = [link(), link()];
  settings.changed('timezone', home);
  settings.learn('timezone', 'UTC');
  settings.changed('datestyle', other);
  settings.learn('datestyle', 'SQL');
  t.not(other.settingsVersion, settings.version);
  t.strictSame(
    settings.missingOn(other).filter(([name]) => name === 'timezone'),
    [['timezone', 'UTC']],
  );
  t.strictSame(settings.missingOn(home), [['datestyle', 'SQL']]);
});

t.test('changed again: the new value is asked for, where it was changed', async (t) => {
  const settings = new Settings();
  const [home, other] = [link(), link()];
  settings.changed('timezone', home);
  settings.learn('timezone', 'UTC');
  other.settingsVersion = settings.version;
  settings.changed('timezone', other);
  t.strictSame(settings.askedLinks, [other]);
  settings.learn('timezone', 'CET');
  t.strictSame(settings.missingOn(home), [['timezone', 'CET']]);
  t.strictSame(settings.missingOn(link()), [['timezone', 'CET']]);
});

t.test('a role comes last: it may not be allowed to set the others', async (t) => {
  const settings = new Settings();
  const home = link();
  for (const name of ['role', 'session_authorization', 'work_mem', 'app.tenant']) {
    settings.changed(name, home);
    settings.learn(name, 'x');
  }
  t.strictSame(
    settings.missingOn(link()).map(([name]) => name),
    ['work_mem', 'app.tenant', 'session_authorization', 'role'],
  );
});

t.test('what lives and dies with a transaction is not copied', async (t) => {
  const settings = new Settings();
  const before = settings.version;
  for (const name of ['transaction_isolation', 'transaction_read_only', 'transaction_deferrable', 'seed']) {
    settings.changed(name, link());
  }
  t.equal(settings.version, before);
});

t.test('RESET ALL forgets everything, and every open link is up to date', async (t) => {
  const settings = new Settings();
  const [home, other] = [link(), link()];
  settings.changed('timezone', home);
  settings.learn('timezone', 'UTC');
  settings.changed('datestyle', other);
  settings.joinBarred = true;
  settings.resetAll([home, other]);
  t.equal(home.settingsVersion, settings.version);
  t.equal(other.settingsVersion, settings.version);
  t.strictSame(settings.askedLinks, []);
  t.strictSame(settings.missingOn(link()), []);
  t.notOk(settings.joinBarred);
});

t.test('a lost link takes along what nobody had asked for, and its names are told', async (t) => {
  const settings = new Settings();
  const [home, other] = [link(), link()];
  settings.changed('timezone', home);
  settings.learn('timezone', 'UTC');
  settings.changed('app.tenant', other);
  t.strictSame(settings.forgetLink(other), ['app.tenant']);
  t.strictSame(settings.missingOn(link()), [['timezone', 'UTC']]);
  t.strictSame(settings.askedLinks, []);
});

t.test('a setting whose newest value was lost is not set to an older one', async (t) => {
  const settings = new Settings();
  const [home, other] = [link(), link()];
  settings.changed('app.tenant', home);
  settings.learn('app.tenant', 'ada');
  other.settingsVersion = settings.version;
  settings.changed('app.tenant', other);
  settings.forgetLink(other);
  t.strictSame(settings.missingOn(link()), []);
});
