import { z } from 'zod';
import { isTimeZone, readDays, readTime } from './hours.js';

/** When somebody is there: of a target, or of a dialplan entry. */
export const hoursConfig = z.strictObject({
  timeZone: z
    .string()
    .refine(isTimeZone, 'must be a time zone, e.g. Europe/Berlin')
    .default('UTC')
    .describe('By which the times are meant.'),
  open: z
    .array(
      z.strictObject({
        days: z
          .string()
          .refine((text) => readDays(text) !== undefined, 'must be days, e.g. "mon-fri" or "sat, sun"')
          .describe('Weekdays: "mon-fri", "sat, sun".'),
        from: z
          .string()
          .refine((text) => readTime(text) !== undefined, 'must be a time, e.g. "09:00"')
          .describe('First minute, "09:00".'),
        to: z
          .string()
          .refine((text) => readTime(text) !== undefined, 'must be a time, e.g. "17:30"')
          .describe('First minute after, "17:30"; "24:00" is midnight.'),
      }),
    )
    .min(1)
    .describe('When somebody is there. `to` before `from` is on the next day.'),
  holidays: z
    .array(z.string().regex(/^(?:\d{4}-)?\d{2}-\d{2}$/, 'must be a date, e.g. "2026-12-25", or "12-25" for each year'))
    .default([])
    .describe('Days on which nobody is there.'),
});
