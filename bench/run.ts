/** `npm run bench`: see harness/options.ts for its options and docs/benchmarks.md for what it measures. */
import { HELP, readOptions, UsageError } from './harness/options.js';
import { closeOnSignals, Scope } from './harness/scope.js';
import { runBenchmark } from './harness/session.js';
import { conclusion, writeResults } from './report/write.js';

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === null) {
    console.log(HELP);
    return 0;
  }
  const scope = new Scope();
  closeOnSignals(scope);
  try {
    const results = await runBenchmark(options, scope, (line) => console.log(line));
    // Compared with the old baseline before it is replaced.
    console.log(await conclusion(results, options.out));
    await writeResults(results, options.out, options.saveBaseline);
    console.log(`Written to ${options.out}: latest.json, latest.md, latest.svg`);
    return results.targets.some((target) => target.problems.length > 0) ? 1 : 0;
  } finally {
    await scope.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof UsageError ? 2 : 3;
}
