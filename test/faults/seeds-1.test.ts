import t from 'tap';
import { testSeeds } from './seeds.js';

await testSeeds(t, 1);
