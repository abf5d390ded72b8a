import { z } from 'zod';
import { duration, percent, text } from '../config/units.js';
import { eventsSection, outboxSection } from './events-schema.js';
import { PHASES } from './phases.js';

/** The shape of a file of `routing-rules/`, with the texts that editors show (schema/rule.schema.json). */

export const ruleShape = {
  domain: z
    .string('must be text')
    .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,62}$/, 'must be a name of letters, digits, _ and -')
    .describe('Name of the domain, used in commands, metrics and messages.'),
  database: text('The database that the tables move to, by its name in pgfig.yaml.'),
  tables: z
    .array(text('schema.table, as in SQL: quote what SQL would have you quote.'), 'must be a list of tables')
    .min(1, 'must name at least one table')
    .describe('The tables that move together.'),
  local: z
    .array(text('schema.table, as in SQL.'), 'must be a list of tables')
    .optional()
    .describe(
      'Tables that the database has for itself, such as an audit log: triggers, functions and views defined there mean its own.',
    ),
  owner: text('The service that owns these tables.').optional(),
  phase: z.enum(PHASES).default('monolith').describe('How far the domain has moved.'),
  mirror: z
    .strictObject({
      capture: z
        .enum(['outbox', 'statement', 'none'])
        .default('outbox')
        .describe(
          'How changes are caught: by triggers into an outbox, by the proxy from the statements, or not: then the copy is kept in step by other means.',
        ),
      apply: z
        .enum(['sync', 'async'])
        .default('sync')
        .describe('sync: COMMIT is answered once the copy has the change; async: at once.'),
      syncTimeout: duration.prefault('1s').describe('How long a COMMIT is held at most.'),
      guard: z
        .enum(['on', 'off'])
        .default('on')
        .describe('on: whatever writes to the copy past pgfig is refused there.'),
    })
    .optional()
    .describe('How the copy is kept in step.'),
  reads: z
    .strictObject({
      new: percent
        .optional()
        .describe('Share of the sessions that read from the new database: all (100%) unless services are named.'),
      services: z
        .array(text('Name of a service.'), 'must be a list')
        .default([])
        .describe('Services whose sessions all read from the new database, whatever the share.'),
    })
    .optional()
    .describe('Who reads from the new database, in phase read-new.'),
  shadow: z
    .strictObject({ sample: percent.prefault('100%').describe('Share of the reads that are compared.') })
    .optional()
    .describe('Comparing reads, in phase shadow-read.'),
  events: eventsSection,
  outbox: outboxSection,
  crossDatabase: z
    .enum(['refuse'])
    .default('refuse')
    .describe('What happens to a statement whose tables have no common home.'),
};

export const ruleSchema = z.strictObject(ruleShape).describe('Routing rules of one domain.');
