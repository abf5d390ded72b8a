import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Preloaded into the processes of a pgfig under test (NODE_OPTIONS=--import=...): on SIGUSR2 a process collects its
 * garbage and says what is left, as a line `heap PID BYTES` on stderr. Without that, heap sizes show when the collector
 * ran last, and not what is held.
 */
setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
process.on('SIGUSR2', () => {
  // Twice: what finalizers let go of goes with the second.
  collect();
  collect();
  process.stderr.write(`heap ${process.pid} ${process.memoryUsage().heapUsed}\n`);
});
