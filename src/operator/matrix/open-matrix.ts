import type { Logger } from 'pino';
import type { Config } from '../../config/config.js';
import { openKafka } from '../kafka/client.js';
import { errorFields } from '../log/logger.js';
import { MatrixKeeper } from './matrix-keeper.js';
import { MatrixStore } from './matrix-store.js';
import { MatrixTopic } from './matrix-topic.js';

/** Workers hand on what they have counted once a second: what is lost in a crash is no older than the interval. */
const HANDED_ON_MS = 1_000;
const SHORTEST_MS = 500;

const PRIVILEGES =
  'the control connection needs CREATE on its database, or schema pgfig made beforehand (pgfig matrix --schema prints it)';

export interface OpenMatrix {
  readonly keeper: MatrixKeeper;
  /** null: deltas go to no topic. */
  readonly topic: MatrixTopic | null;
}

/** What keeps the matrix in the control process, and publishes what is new. */
export function openMatrix(config: Config, log: Logger): OpenMatrix {
  const { kafka, matrix } = config;
  const topic =
    kafka === null || matrix.topic === null ? null : new MatrixTopic(openKafka(kafka, log), matrix.topic, log);
  const keeper = new MatrixKeeper({
    onFlushed: (delta) => topic?.publish(delta),
    store: new MatrixStore(config),
    interval: Math.max(SHORTEST_MS, config.matrix.flushInterval - HANDED_ON_MS),
    onError: (error) => {
      const denied = 'code' in error && error.code === '42501';
      log.warn(
        { ...errorFields(error), ...(denied ? { needed: PRIVILEGES } : {}) },
        'the matrix cannot be stored; it is kept in memory and tried again',
      );
    },
    onRefused: (error) =>
      log.warn(errorFields(error), 'the control database refuses one cell of the matrix, which is left out'),
    onRecovered: () => log.info('the matrix is stored again'),
  });
  return { keeper, topic };
}
