import { run } from './harness.js';
import { fromTheFirst, pgfigDriver } from './pgfig-driver.js';
import { planFor, secondsOf, seedsOf } from './plan.js';
import { relayDriver } from './relay-driver.js';
import { standIn } from './stand-in.js';

/**
 * Runs seeds by hand: `PGFIG_FAULT_SEEDS=1,2,3 PGFIG_FAULT_SECONDS=60 node build/test/faults/run-faults.js [pgfig|first|relay|stand-in]`.
 * Prints each verdict, and everything that happened where something was found. PGFIG_FAULT_KAFKA=1 has a broker too;
 * PGFIG_FAULT_LOG=1 prints what happened in any case.
 */
const drivers = { 'stand-in': () => standIn, relay: relayDriver, first: () => fromTheFirst, pgfig: () => pgfigDriver };
const driverOf = drivers[(process.argv[2] ?? 'pgfig') as keyof typeof drivers];
for (const seed of seedsOf([1, 2, 3, 4, 5, 6, 7, 8])) {
  const plan = planFor(seed, secondsOf(10));
  console.log(`seed ${seed}: ${JSON.stringify(plan)}`);
  const { findings, log, acked, wholeSights } = await run(plan, driverOf());
  console.log(
    `seed ${seed}: ${findings.length === 0 ? 'fine' : 'FOUND'}, ${acked} acknowledged, whole ${wholeSights} times`,
  );
  for (const finding of findings) console.log(`  ${finding}`);
  if (findings.length > 0 || process.env.PGFIG_FAULT_LOG === '1') console.log(log.join('\n'));
  if (findings.length > 0) process.exitCode = 1;
}
process.exit();
