import { direct } from './direct.js';
import { haproxy } from './haproxy.js';
import { pgbouncer } from './pgbouncer.js';
import { pgfig, pgfigUncounted } from './pgfig.js';
import { pgpool } from './pgpool.js';
import type { Target } from './target.js';

/** In the order of the report. */
export const TARGETS: readonly Target[] = [direct, pgbouncer, haproxy, pgpool, pgfig, pgfigUncounted];
