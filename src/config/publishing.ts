import type { AccessLogConfig, KafkaConfig, KafkaSsl, MatrixConfig } from './config.js';
import type { configShape } from './schema.js';
import type { Sections } from './sections.js';
import { pemFaults } from './tls-files.js';
import type { Path, YamlFile } from './yaml-file.js';

type Parts = Sections<typeof configShape>;
type Absolute = (path: string) => string;

export interface Publishing {
  readonly kafka: KafkaConfig | null;
  readonly matrix: MatrixConfig | null;
  readonly accessLog: AccessLogConfig | null;
}

/**
 * The sections `kafka`, `matrix` and `accessLog`, which refer to each other; faults go to `yaml`.
 * @param kafkaGiven whether there is a section `kafka`, be it with faults: then nobody is told to add one
 */
export function readPublishing(parts: Parts, kafkaGiven: boolean, yaml: YamlFile, absolute: Absolute): Publishing {
  const kafka = readKafka(parts, yaml, absolute);
  const topic = (name: string | undefined, path: Path): string | null => {
    if (name === undefined) return null;
    if (!kafkaGiven) yaml.complain(path, `${path.join('.')} needs a Kafka cluster. Add kafka.brokers, or remove it`);
    const whole = `${kafka?.topicPrefix ?? ''}${name}`;
    // What Kafka itself takes as a topic's name (org.apache.kafka.common.internals.Topic).
    if (!/^[a-zA-Z0-9._-]{1,249}$/.test(whole) || whole === '.' || whole === '..') {
      const prefixed = kafka?.topicPrefix ? ' with kafka.topicPrefix before it' : '';
      yaml.complain(
        path,
        `${path.join('.')}${prefixed} is not a name for a topic. Use at most 249 letters, digits, '.', '_' and '-'`,
      );
    }
    return whole;
  };
  const matrix =
    parts.matrix === undefined ? null : { ...parts.matrix, topic: topic(parts.matrix.topic, ['matrix', 'topic']) };
  const logTopic = topic(parts.accessLog?.kafka?.topic, ['accessLog', 'kafka', 'topic']);
  if (logTopic !== null && logTopic === matrix?.topic) {
    yaml.complain(
      ['accessLog', 'kafka', 'topic'],
      'accessLog.kafka.topic and matrix.topic are the same. Choose two topics',
    );
  }
  return { kafka, matrix, accessLog: readAccessLog(parts, logTopic, yaml, absolute) };
}

function readAccessLog(
  { accessLog: given }: Parts,
  topic: string | null,
  yaml: YamlFile,
  absolute: Absolute,
): AccessLogConfig | null {
  if (given === undefined) return null;
  const { file, ...rest } = given;
  if (file === undefined && topic === null) {
    yaml.complain(['accessLog'], 'accessLog does not say where to. Add accessLog.file, accessLog.kafka or both');
  }
  return {
    ...rest,
    file: file === undefined ? null : { ...file, path: absolute(file.path) },
    kafka: topic === null ? null : { topic },
  };
}

function readKafka({ kafka: given }: Parts, yaml: YamlFile, absolute: Absolute): KafkaConfig | null {
  if (given === undefined) return null;
  return { ...given, ssl: readSsl(given.ssl, yaml, absolute), sasl: given.sasl ?? null };
}

type GivenSsl = NonNullable<Parts['kafka']>['ssl'];

function readSsl(given: GivenSsl, yaml: YamlFile, absolute: Absolute): KafkaSsl | null {
  if (given === false) return null;
  if (given === true) return { ca: null, cert: null, key: null };
  const path = (file: string | undefined): string | null => (file === undefined ? null : absolute(file));
  const ssl = { ca: path(given.ca), cert: path(given.cert), key: path(given.key) };
  if ((ssl.cert === null) !== (ssl.key === null)) {
    yaml.complain(['kafka', 'ssl'], 'kafka.ssl has only one of cert and key. A client certificate needs both');
  }
  for (const [key, what] of pemFaults(ssl)) yaml.complain(['kafka', 'ssl', key], what);
  return ssl;
}
