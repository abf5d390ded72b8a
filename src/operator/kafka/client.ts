import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Kafka, type LogEntry, logLevel, type SASLOptions } from 'kafkajs';
import type { Logger } from 'pino';
import type { KafkaConfig, KafkaSasl, KafkaSsl } from '../../config/config.js';
import { PgfigError } from '../../errors/pgfig-error.js';

const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Short: whoever sends tries again himself, and says so. */
const RETRY = { retries: 2, initialRetryTime: 200, maxRetryTime: 1_000 };

/**
 * A client of the configured cluster; nothing connects yet.
 * @throws PgfigError FILE_UNREADABLE: a file of kafka.ssl
 */
export function openKafka(config: KafkaConfig, log: Logger): Kafka {
  return new Kafka({
    brokers: [...config.brokers],
    clientId: config.clientId,
    ...(config.ssl === null ? {} : { ssl: tlsOptions(config.ssl) }),
    ...(config.sasl === null ? {} : { sasl: saslOptions(config.sasl) }),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    logLevel: log.isLevelEnabled('debug') ? logLevel.INFO : logLevel.NOTHING,
    logCreator: () => kafkaLog(log),
  });
}

function tlsOptions({ ca, cert, key }: KafkaSsl): ConnectionOptions {
  const read = (file: string): string => {
    try {
      return readFileSync(file, 'utf8');
    } catch (cause) {
      throw new PgfigError('FILE_UNREADABLE', `cannot read ${file}, a file of kafka.ssl`, { cause });
    }
  };
  return {
    ...(ca === null ? {} : { ca: read(ca) }),
    ...(cert === null ? {} : { cert: read(cert) }),
    ...(key === null ? {} : { key: read(key) }),
  };
}

function saslOptions({ mechanism, username, password }: KafkaSasl): SASLOptions {
  // Each mechanism is a type of its own.
  switch (mechanism) {
    case 'plain':
      return { mechanism, username, password };
    case 'scram-sha-256':
      return { mechanism, username, password };
    case 'scram-sha-512':
      return { mechanism, username, password };
  }
}

/** What kafkajs says of its own accord, each try anew. What is worth a warning is told by whoever sends. */
function kafkaLog(log: Logger): (entry: LogEntry) => void {
  return ({ namespace, log: said }) => {
    // Field by field: what else an entry holds may be a whole request.
    const fields = { part: namespace, ...shown(said, 'broker'), ...shown(said, 'error') };
    log.debug(fields, `kafka: ${said.message}`);
  };
}

function shown(said: Readonly<Record<string, unknown>>, field: string): Record<string, string> {
  const value = said[field];
  return typeof value === 'string' ? { [field]: value } : {};
}
