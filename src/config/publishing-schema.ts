import { z } from 'zod';
import { duration, integer, percent, size, text } from './units.js';

/** The sections of `pgfig.yaml` that say who is seen, what is written down of it and where that goes. */

const ADDRESSES = 'must be an IP address, a network such as 10.1.0.0/16, or a list of them';

const serviceRule = z.strictObject({
  name: text('Name of the service; $1 to $9 stand for the groups of applicationName.'),
  applicationName: text('Regular expression that is found in the client’s application_name.').optional(),
  user: text('Regular expression that is found in the name of its user.').optional(),
  address: z
    .union([text('An address.'), z.array(text('An address.')).min(1, 'must name at least one address')], ADDRESSES)
    .optional()
    .describe('IP address of the client, network such as 10.1.0.0/16, or a list of them.'),
});

export const services = z
  .array(serviceRule, 'must be a list of rules')
  .default([])
  .describe(
    'What services are called: the first rule of which all conditions hold gives the name. Without one it is application_name, or else the user.',
  );

export const matrix = z
  .strictObject({
    enabled: z.boolean('must be true or false').default(true).describe('Count which service touches which table.'),
    flushInterval: duration
      .refine((ms) => ms >= 1_000 && ms <= 600_000, 'must be from 1s to 10m')
      .prefault('10s')
      .describe('How often what was counted is written down.'),
    topic: text('Kafka topic for what was counted; topicPrefix is put before it.').optional(),
  })
  .prefault({})
  .describe('The matrix: which service touches which table.');

const sample = percent.describe('Share of the statements, such as 5%.');

export const accessLog = z
  .strictObject({
    file: z
      .strictObject({
        path: text('The file; the number of the worker is put before its extension: access.1.jsonl.'),
        maxSize: size
          .refine((bytes) => bytes >= 1_024, 'must be at least 1kB')
          .prefault('100MB')
          .describe('A file of this size is put aside and a new one begun.'),
        maxFiles: integer(1, 10_000)
          .prefault(10)
          .describe('Files that are put aside and stay, for each worker; older ones are removed.'),
        compress: z
          .boolean('must be true or false')
          .default(true)
          .describe('Whether files that are put aside are compressed (gzip).'),
      })
      .optional()
      .describe('Write the access log to files.'),
    kafka: z
      .strictObject({ topic: text('The topic; topicPrefix is put before it.') })
      .optional()
      .describe('Write the access log to a Kafka topic; needs kafka.brokers.'),
    sample: sample.prefault('100%').describe('Share of the statements that is written.'),
    services: z
      .record(z.string(), sample, 'must be a mapping of services to percentages')
      .default({})
      .describe('service: share of its statements, in place of `sample`.'),
    queue: integer(1, 1_000_000)
      .prefault(10_000)
      .describe('Records that may wait to be written, for each worker; more are dropped and counted.'),
  })
  .optional()
  .describe('One JSON line per statement. Without this section none is written.');

const file = (description: string) => text(description).optional();

const ssl = z
  .union(
    [
      z.boolean(),
      z.strictObject({
        ca: file('PEM file with the authorities that the brokers’ certificates must chain to; default: the system’s.'),
        cert: file('PEM file with the client certificate.'),
        key: file('PEM file with its private key.'),
      }),
    ],
    'must be true, false, or a mapping with ca, cert, key',
  )
  .default(false)
  .describe('TLS to the brokers.');

const sasl = z
  .strictObject({
    mechanism: z
      .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
      .describe('How pgfig proves who it is; plain shows the password to whoever listens, unless ssl is on.'),
    username: text('The user.'),
    password: text('The password.'),
  })
  .optional()
  .describe('Login to the brokers; default: none.');

export const kafka = z
  .strictObject({
    brokers: z
      .array(text('host:port of a broker.').regex(/^\S+:\d{1,5}$/, 'must be written as host:port'), 'must be a list')
      .min(1, 'must name at least one broker')
      .describe('The brokers.'),
    topicPrefix: z.string('must be text').default('').describe('Put before the name of each topic.'),
    clientId: text('Name under which the brokers’ logs and quotas know pgfig.').default('pgfig'),
    ssl,
    sasl,
  })
  .optional()
  .describe('The Kafka cluster that the access log and the matrix may be sent to.');
