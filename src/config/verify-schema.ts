import { Cron } from 'croner';
import { z } from 'zod';
import { percent } from './units.js';

function isCron(text: string): boolean {
  try {
    new Cron(text, { paused: true }).stop();
    return true;
  } catch {
    return false;
  }
}

export const verify = z
  .strictObject({
    schedule: z
      .string('must be a cron expression such as "0 3 * * *"')
      .refine(isCron, 'must be a cron expression such as "0 3 * * *"')
      .describe('When: minute, hour, day of month, month, day of week, in the time zone of the process.'),
    sample: percent
      .refine((value) => value > 0, 'must be above 0%')
      .prefault('100%')
      .describe('Share of each table that is compared; another one each time.'),
  })
  .optional()
  .describe('Compares the copies of all mirrored domains by a schedule.');
