/**
 * Registers what stops a thing that a test has started: in a test file it runs when the file's tests
 * are over, also when they fail. Elsewhere (benchmarks, scripts) the caller stops things itself, and
 * tap stays unloaded, since it would print a report.
 */
export async function onTeardown(stop: () => Promise<void>): Promise<void> {
  if (!/\.test\.[jt]s$/.test(process.argv[1] ?? '')) return;
  const { default: t } = await import('tap');
  t.teardown(stop);
}
