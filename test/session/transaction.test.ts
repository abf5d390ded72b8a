import fc from 'fast-check';
import t from 'tap';
import type { SessionLink } from '../../src/session/session-link.js';
import { Transaction } from '../../src/session/transaction/transaction.js';
import { quoteIdent, quoteLiteral } from '../../src/sql/quote.js';

/** As much of a link as a transaction touches. */
function participant(tx: Transaction, at = tx.journal.length): SessionLink {
  const link = { txStamp: tx.stamp, journalAt: at, undo: [] } as unknown as SessionLink;
  tx.participants.push(link);
  return link;
}
const savepoint = (tx: Transaction, name: string, by: SessionLink | null = null): void =>
  tx.record({ type: 'savepoint', name, sql: `SAVEPOINT ${quoteIdent(name)}` }, by);
const set = (tx: Transaction, sql: string, by: SessionLink | null = null): void =>
  tx.record({ type: 'statement', name: '', sql }, by);
const texts = (tx: Transaction): string[] => tx.journal.map(({ sql }) => sql);

t.test('each transaction has a stamp of its own, never 0', async (t) => {
  const [one, two] = [new Transaction('', null), new Transaction('', null)];
  t.not(one.stamp, two.stamp);
  t.ok(one.stamp > 0);
});

t.test('modes add up', async (t) => {
  const tx = new Transaction('', null);
  tx.addModes('READ ONLY', null);
  t.equal(tx.modes, 'READ ONLY');
  tx.addModes('ISOLATION LEVEL SERIALIZABLE', 'serializable');
  t.equal(tx.modes, 'READ ONLY, ISOLATION LEVEL SERIALIZABLE');
  t.equal(tx.isolation, 'serializable');
});

t.test('what ran on one participant is to be run on the others', async (t) => {
  const tx = new Transaction('', null);
  const [first, second] = [participant(tx), participant(tx)];
  set(tx, 'SET LOCAL a = 1', first);
  t.equal(first.journalAt, 1);
  t.equal(first.txStamp, tx.stamp);
  t.equal(second.journalAt, 0);
  t.not(second.txStamp, tx.stamp, 'it does not count as ready');
});

t.test('a participant that lags behind is not taken for up to date by its own entry', async (t) => {
  const tx = new Transaction('', null);
  const [first, second] = [participant(tx), participant(tx)];
  set(tx, 'SET LOCAL a = 1', first);
  set(tx, 'SET LOCAL b = 1', second);
  t.equal(second.journalAt, 0, 'it still lacks the first');
});

t.test('ROLLBACK TO cuts the journal behind the savepoint, which stays', async (t) => {
  const tx = new Transaction('', null);
  const [by, other] = [participant(tx), participant(tx)];
  savepoint(tx, 'a', by);
  other.journalAt = 1;
  set(tx, 'SET LOCAL x = 1', by);
  savepoint(tx, 'b', by);
  tx.failedHere = true;
  tx.rollbackTo('a', by);
  t.strictSame(texts(tx), ['SAVEPOINT "a"']);
  t.notOk(tx.failedHere);
  t.equal(by.journalAt, 1);
  t.strictSame(by.undo, [], 'it has done so itself');
  t.strictSame(other.undo, ['ROLLBACK TO SAVEPOINT "a"']);
  t.not(other.txStamp, tx.stamp);
  t.ok(tx.hasSavepoint('a'));
  t.notOk(tx.hasSavepoint('b'));
  tx.rollbackTo('b', by);
  t.strictSame(texts(tx), ['SAVEPOINT "a"'], 'one that is not there changes nothing');
});

t.test('one that has not reached the savepoint has nothing to roll back', async (t) => {
  const tx = new Transaction('', null);
  const [by, other] = [participant(tx), participant(tx)];
  savepoint(tx, 'a', by);
  tx.rollbackTo('a', by);
  t.equal(other.journalAt, 0);
  t.strictSame(other.undo, []);
});

t.test('names that come twice: the inner one is meant', async (t) => {
  const tx = new Transaction('', null);
  savepoint(tx, 'a');
  set(tx, 'one');
  savepoint(tx, 'a');
  set(tx, 'two');
  tx.rollbackTo('a', null);
  t.strictSame(texts(tx), ['SAVEPOINT "a"', 'one', 'SAVEPOINT "a"']);
  tx.release('a', null);
  t.ok(tx.hasSavepoint('a'), 'the outer one is left');
  set(tx, 'three');
  tx.rollbackTo('a', null);
  t.strictSame(texts(tx), ['SAVEPOINT "a"']);
});

t.test('RELEASE takes those behind it along', async (t) => {
  const tx = new Transaction('', null);
  savepoint(tx, 'a');
  savepoint(tx, 'b');
  set(tx, 'one');
  tx.release('a', null);
  t.notOk(tx.hasSavepoint('a'));
  t.notOk(tx.hasSavepoint('b'));
  const before = texts(tx);
  tx.release('b', null);
  t.strictSame(texts(tx), before, 'there is nothing to release any more');
  t.ok(before.includes('one'), 'what ran stays');
});

t.test('savepoints that come and go leave nothing behind', async (t) => {
  const tx = new Transaction('', null);
  const by = participant(tx);
  for (let i = 0; i < 1000; i++) {
    savepoint(tx, 's', by);
    tx.release('s', by);
  }
  t.ok(tx.journal.length < 10, `${tx.journal.length} entries`);
});

t.test('a late joiner is in the state of those that ran it all', async () => {
  const names = fc.constantFrom('a', 'b', 'c');
  const step = fc.oneof(
    fc.record({ type: fc.constant('savepoint' as const), name: names }),
    fc.record({ type: fc.constant('release' as const), name: names }),
    fc.record({ type: fc.constant('rollback-to' as const), name: names }),
    fc.record({ type: fc.constant('set' as const), name: names }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(40), (steps, joinsAt) => {
      const tx = new Transaction('', null);
      const by = participant(tx);
      const ran = new Server();
      const late = new Server();
      let joiner: SessionLink | null = null;
      steps.forEach(({ type, name }, at) => {
        if (at === joinsAt) {
          joiner = participant(tx, 0);
          catchUp(tx, joiner, late);
        }
        // What Postgres would refuse never gets into a journal.
        if (type === 'release' || type === 'rollback-to') {
          if (!ran.has(name)) return;
          if (!tx.hasSavepoint(name)) throw new Error(`savepoint ${name} is not known`);
        }
        if (type === 'set') ran.run(`SET ${name} = ${at}`);
        else if (type === 'savepoint') ran.run(`SAVEPOINT ${quoteIdent(name)}`);
        else if (type === 'release') ran.run(`RELEASE SAVEPOINT ${quoteIdent(name)}`);
        else ran.run(`ROLLBACK TO SAVEPOINT ${quoteIdent(name)}`);
        if (type === 'set') set(tx, `SET ${name} = ${at}`, by);
        else if (type === 'savepoint') savepoint(tx, name, by);
        else if (type === 'release') tx.release(name, by);
        else tx.rollbackTo(name, by);
        // Now and then the other one is used, and catches up.
        if (joiner !== null && at % 3 === 0) catchUp(tx, joiner, late);
      });
      catchUp(tx, joiner ?? participant(tx, 0), late);
      if (late.state !== ran.state) throw new Error(`${late.state} instead of ${ran.state}`);
    }),
    { numRuns: 2000 },
  );
});

/** What the session does before a participant is used. */
function catchUp(tx: Transaction, link: SessionLink, server: Server): void {
  for (const sql of link.undo.splice(0)) server.run(sql);
  for (; link.journalAt < tx.journal.length; link.journalAt++) server.run(tx.journal[link.journalAt]?.sql ?? '');
  link.txStamp = tx.stamp;
}

/** Settings and savepoints of one transaction, as Postgres treats them. */
class Server {
  #settings: Record<string, string> = {};
  #savepoints: { name: string; settings: Record<string, string> }[] = [];

  has(name: string): boolean {
    return this.#savepoints.some((one) => one.name === name);
  }

  run(sql: string): void {
    const [, verb = '', name = ''] =
      /^(SAVEPOINT|RELEASE SAVEPOINT|ROLLBACK TO SAVEPOINT|SET) "?(\w+)"?/.exec(sql) ?? [];
    if (verb === 'SET') this.#settings = { ...this.#settings, [name]: sql };
    if (verb === 'SAVEPOINT') this.#savepoints.push({ name, settings: this.#settings });
    if (!verb.endsWith(' SAVEPOINT')) return;
    const at = this.#savepoints.findLastIndex((one) => one.name === name);
    if (at < 0) throw new Error(`savepoint "${name}" does not exist`);
    if (verb.startsWith('ROLLBACK')) this.#settings = this.#savepoints[at]?.settings ?? {};
    this.#savepoints.length = verb.startsWith('ROLLBACK') ? at + 1 : at;
  }

  get state(): string {
    return JSON.stringify([Object.entries(this.#settings).sort(), this.#savepoints.map(({ name }) => name)]);
  }
}

t.test('quoting', async (t) => {
  t.equal(quoteIdent('a"b'), '"a""b"');
  t.equal(quoteLiteral("it's"), "'it''s'");
  t.equal(quoteLiteral("a\\'b"), " E'a\\\\''b'", 'the same whatever standard_conforming_strings is');
});
