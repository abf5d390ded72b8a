const tails = new WeakMap<object, Promise<unknown>>();

/** Work on one connection, in the order of the calls, each after the one before has ended. */
export function serially<T>(connection: object, work: () => Promise<T>): Promise<T> {
  const before = tails.get(connection) ?? Promise.resolve();
  const ended = before.then(work, work);
  tails.set(
    connection,
    ended.catch(() => {}),
  );
  return ended;
}
