import { serve } from '../../src/main/serve.js';
import { exitCodeOf } from '../../src/operator/cli/exit-codes.js';

/**
 * `serve` in a process of its own: `node run-serve.js pgfig.yaml [worker program]`. One line of JSON on
 * stdout when it is ready; the exit code is what the command line would give.
 */
const [config = '', workerProgram] = process.argv.slice(2);
try {
  await serve({
    config,
    trace: process.env.TRACE === '1',
    ...(workerProgram === undefined ? {} : { workerProgram }),
    onReady: ({ listen, admin }) => console.log(JSON.stringify({ listen, admin })),
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = exitCodeOf(error);
}
