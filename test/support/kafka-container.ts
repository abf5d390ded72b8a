import { GenericContainer, getContainerRuntimeClient } from 'testcontainers';
import { freePort } from '../../src/embedded/postgres-server.js';
import type { BrokerControl } from './kafka.js';
import { onTeardown } from './teardown.js';

/** Kafka in a container, on a port that stays the same when it is started anew; or why there is none. */
export async function startContainer(
  version: string,
): Promise<(BrokerControl & { readonly brokers: readonly string[] }) | string> {
  try {
    const runtime = await getContainerRuntimeClient();
    const { host } = runtime.info.containerRuntime;
    const port = await freePort();
    const started = await new GenericContainer(`apache/kafka:${version}`)
      .withEnvironment({
        KAFKA_NODE_ID: '1',
        KAFKA_PROCESS_ROLES: 'broker,controller',
        KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
        KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
        KAFKA_LISTENERS: `PLAINTEXT://:${port},CONTROLLER://:9093`,
        KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://${host}:${port}`,
        KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
        KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
        KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
        KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
        KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      })
      .withExposedPorts({ container: port, host: port })
      .start();
    await onTeardown(async () => {
      await started.stop({ timeout: 0 });
    });
    // The started container itself can be stopped only once.
    const container = runtime.container.getById(started.getId());
    const stopped = (error: unknown): void => {
      // 304 and 409: it does not run.
      const code = error instanceof Error && 'statusCode' in error ? error.statusCode : 0;
      if (code !== 304 && code !== 409) throw error;
    };
    const kill = async (): Promise<void> => {
      await container.kill().catch(stopped);
    };
    return {
      brokers: [`${host}:${port}`],
      kill,
      stop: async () => {
        await container.stop().catch(stopped);
      },
      restart: async () => {
        await kill();
        await container.start();
      },
    };
  } catch (error) {
    return `no container (${error instanceof Error ? error.message : String(error)})`;
  }
}
