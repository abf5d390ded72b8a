import t from 'tap';
import { seedsOf } from './plan.js';
import { SEEDS, testSeeds } from './seeds.js';

t.setTimeout(600_000);

await testSeeds(
  t,
  seedsOf(SEEDS).filter((seed) => seed % 2 === 0),
);
